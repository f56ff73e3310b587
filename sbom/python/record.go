package python

import (
	"encoding/base64"
	"encoding/csv"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"path"
	"strconv"
	"strings"
)

// File is one line of a RECORD.
type File struct {
	Path   string // relative to the folder that holds the .dist-info, clean; may begin with ".."
	SHA256 string // lower-case hex; "" where none is given
	Size   int64  // -1 where none is given
}

// ParseRecord reads the RECORD of a wheel or an installed package:
// https://packaging.python.org/en/latest/specifications/recording-installed-packages/.
func ParseRecord(b []byte) ([]File, error) {
	if len(b) > MaxRecordBytes {
		return nil, fmt.Errorf("%w: RECORD of more than %d bytes", ErrTooLarge, MaxRecordBytes)
	}
	r := csv.NewReader(strings.NewReader(string(b)))
	r.FieldsPerRecord, r.ReuseRecord = 3, true
	seen := map[string]bool{}
	var out []File
	for {
		row, err := r.Read()
		if errors.Is(err, io.EOF) {
			return out, nil
		}
		if err != nil {
			return nil, fmt.Errorf("%w: RECORD: %.200s", ErrMalformed, strings.ToValidUTF8(err.Error(), "?"))
		}
		f := File{Path: path.Clean(row[0]), Size: -1}
		if row[0] == "" || !printable(row[0]) || strings.Contains(row[0], `\`) {
			return nil, fmt.Errorf("%w: RECORD names %.100q", ErrMalformed, row[0])
		}
		if seen[f.Path] {
			return nil, fmt.Errorf("%w: RECORD names %.100q twice", ErrMalformed, f.Path)
		}
		seen[f.Path] = true
		if alg, digest, ok := strings.Cut(row[1], "="); ok && alg == "sha256" {
			raw, err := base64.RawURLEncoding.Strict().DecodeString(digest)
			if err != nil || len(raw) != 32 {
				return nil, fmt.Errorf("%w: RECORD's hash of %.100q", ErrMalformed, f.Path)
			}
			f.SHA256 = hex.EncodeToString(raw)
		}
		if row[2] != "" {
			if f.Size, err = strconv.ParseInt(row[2], 10, 64); err != nil || f.Size < 0 {
				return nil, fmt.Errorf("%w: RECORD's size of %.100q", ErrMalformed, f.Path)
			}
		}
		out = append(out, f)
	}
}
