package registry

import (
	"fmt"
	"slices"

	"github.com/bartizan-mcp/bartizan/internal/admission"
	"github.com/bartizan-mcp/bartizan/registry/serverjson"
)

// mcpb is the registryType of a package that is one file, an MCP bundle, whose
// SHA-256 server.json has to state.
const mcpb = "mcpb"

// otherFile is the reason of a version whose server.json sends its users to
// bundles of which none is the artifact: what they would install is not what
// was signed, scanned and voted about. Of several, for several platforms, one
// has to be. A signature over both does not make them the same.
func otherFile(v *version, doc *serverjson.Document) []admission.Reason {
	artifact := hexDigest(v.Artifact)
	bundles := slices.DeleteFunc(slices.Clone(doc.Packages), func(p serverjson.Package) bool { return p.RegistryType != mcpb })
	if artifact == "" || len(bundles) == 0 || slices.ContainsFunc(bundles, func(p serverjson.Package) bool { return p.SHA256 == artifact }) {
		return nil
	}
	return []admission.Reason{{Code: admission.ReasonDigestMismatch, Cause: admission.CauseFileSHA256,
		Detail: fmt.Sprintf("server.json's fileSha256 %s is of other bytes than the artifact %s", short(bundles[0].SHA256), short(v.Artifact))}}
}
