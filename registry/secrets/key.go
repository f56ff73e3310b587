package secrets

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/bartizan-mcp/bartizan/internal/atomicfile"
)

// keyBytes is the size of a key, that of the hash.
const keyBytes = 32

// ErrKey is a key file that is none.
var ErrKey = errors.New("secrets: key file")

// LoadKey reads the key that marks are made with, and makes it first where
// there is none.
func LoadKey(path string) ([]byte, error) {
	key, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		key = make([]byte, keyBytes)
		if _, err := rand.Read(key); err != nil {
			return nil, err
		}
		return key, atomicfile.Write(path, key)
	}
	if err == nil && len(key) != keyBytes {
		err = fmt.Errorf("%w: %d bytes instead of %d", ErrKey, len(key), keyBytes)
	}
	return key, err
}
