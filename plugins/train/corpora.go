package train

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// errCorpora means that there is nothing to learn from, or too much.
var errCorpora = errors.New("no corpora to learn from")

// row is one line of the corpora (their README has the schema).
type row struct {
	ID        string         `json:"id"`
	Family    string         `json:"family"`
	Label     string         `json:"label"`
	Kind      string         `json:"kind"`
	Subtype   string         `json:"subtype"`
	Server    string         `json:"server"`
	Tool      jsontext.Value `json:"tool"`
	Arguments jsontext.Value `json:"arguments"`
	Content   string         `json:"content"`
	Payload   string         `json:"payload"`
	Context   []contextRow   `json:"context"`
	Group     string         `json:"group"`
	Licence   string         `json:"licence"`
}

type contextRow struct {
	Server string         `json:"server"`
	Tool   jsontext.Value `json:"tool"`
}

// family returns the source group, the unit that is left out.
func (r *row) group() string {
	name, _, _ := strings.Cut(r.Group, ":")
	return name
}

// origin is the source of the words: rows that were encoded or composed from a
// source leave together with it.
func (r *row) origin() string { return originOf(r.group()) }

func originOf(group string) string {
	group = strings.TrimPrefix(group, "encoded-")
	return strings.TrimPrefix(group, "composed-")
}

// learnable reports that weights may be trained on the row: its licence is
// verified, and it is not an encoded repetition of another row. Attacks of BIPIA
// are ordinary questions ("What does the liver do?") put into a document: they
// are attacks by where they stand, which no words show, and learning from them
// makes every question look like one. The same holds of the naive third of ASB
// ("Please check the records for accuracy"), which would make courtesy one.
func (r *row) learnable() bool {
	if r.attack() && (r.group() == "bipia-train" || r.group() == "asb" && r.Subtype == "naive") {
		return false
	}
	return !strings.Contains(r.Licence, "unverified") && r.origin() != "neuralchemy" && !strings.HasPrefix(r.Group, "encoded-")
}

func (r *row) attack() bool { return r.Label == "attack" }

// corpora is every row, in the order of the files' names.
type corpora struct {
	rows    []*row
	digests map[string]string // file → SHA-256
}

// filesIn are the files of a directory of corpora.
func filesIn(dir string) ([]string, error) {
	if dir == "" {
		return nil, errCorpora
	}
	files, err := filepath.Glob(filepath.Join(dir, "*.jsonl"))
	if err != nil || len(files) == 0 {
		return nil, errors.Join(errCorpora, err)
	}
	slices.Sort(files)
	return files, nil
}

// maxCorpora bounds what is held in memory to learn from.
const maxCorpora = 512 << 20

func loadCorpora(files []string) (*corpora, error) {
	c := &corpora{digests: map[string]string{}}
	var size int64
	for _, name := range files {
		info, err := os.Stat(name)
		if err != nil {
			return nil, err
		}
		if size += info.Size(); size > maxCorpora {
			return nil, fmt.Errorf("%w: more than %d bytes to learn from", errCorpora, maxCorpora)
		}
		if err := c.read(name); err != nil {
			return nil, err
		}
	}
	return c, nil
}

func (c *corpora) read(name string) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer f.Close() // read only: nothing is lost
	sum := sha256.New()
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 4<<20)
	for lines.Scan() {
		sum.Write(lines.Bytes())
		sum.Write([]byte{'\n'})
		r := new(row)
		if err := json.Unmarshal(lines.Bytes(), r, json.RejectUnknownMembers(false)); err != nil {
			return fmt.Errorf("%s: %w", filepath.Base(name), err)
		}
		if r.Kind != "session" {
			c.rows = append(c.rows, r)
		}
	}
	c.digests[filepath.Base(name)] = hex.EncodeToString(sum.Sum(nil))
	if err := lines.Err(); err != nil && !errors.Is(err, fs.ErrClosed) {
		return fmt.Errorf("%s: %w", filepath.Base(name), err)
	}
	return nil
}
