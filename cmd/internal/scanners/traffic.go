package scanners

import (
	"context"
	"errors"
	"path/filepath"

	"github.com/bartizan-mcp/bartizan/cmd/internal/config"
	"github.com/bartizan-mcp/bartizan/internal/audit"
	"github.com/bartizan-mcp/bartizan/internal/release"
)

// LedgerFile is the memory of scanners in the folder of all state.
const LedgerFile = "scanners.json"

// LoadForTraffic loads what a door runs: modules that the configuration trusts,
// none older than what was in force in an earlier process. A refusal is on
// record; nothing starts then.
func LoadForTraffic(ctx context.Context, cacheDir string, c config.Config, by audit.Origin, log *audit.Log) (*Loaded, error) {
	ledger, err := release.OpenLedger(filepath.Join(c.Data, LedgerFile))
	if err != nil {
		return nil, err
	}
	loaded, err := Load(ctx, cacheDir, c.Scanners, Remembering(ledger))
	if refused := release.ReasonOf(err); refused != "" {
		_, failed := log.Append(ctx, audit.ScannersRefused(by, string(refused)))
		err = errors.Join(err, failed)
	}
	return loaded, err
}
