package attest

import (
	"crypto"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
)

// Save writes the private key (PKCS#8 PEM, mode 0600) to path and the public
// key to path.pub. An existing private key is never overwritten: the error
// then also wraps os.ErrExist.
func (k *Key) Save(path string) error {
	der, err := x509.MarshalPKCS8PrivateKey(k.private)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrKey, err)
	}
	if err := writeNew(path, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), 0o600); err != nil {
		return err
	}
	if err := os.WriteFile(path+".pub", k.public.PEM(), 0o644); err != nil {
		return fmt.Errorf("%w: %w", ErrKey, err)
	}
	return nil
}

// writeNew writes a complete file or none: a crash leaves no half key behind
// under the final name.
func writeNew(path string, b []byte, mode os.FileMode) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".key-*")
	if err != nil {
		return fmt.Errorf("%w: %w", ErrKey, err)
	}
	defer os.Remove(f.Name())
	_, err = f.Write(b)
	if err == nil {
		err = f.Chmod(mode)
	}
	if err == nil {
		err = f.Sync()
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err == nil {
		err = os.Link(f.Name(), path)
	}
	if err != nil {
		return fmt.Errorf("%w: %w", ErrKey, err)
	}
	return nil
}

// LoadKey reads a PKCS#8 private key. A file that anyone but its owner can read
// or write is refused.
func LoadKey(path string) (*Key, error) {
	b, err := readBounded(path, MaxKeyFile, func(mode os.FileMode) error {
		if runtime.GOOS != "windows" && mode.Perm()&0o077 != 0 {
			return fmt.Errorf("%s has mode %04o, want 0600", path, mode.Perm())
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrKey, err)
	}
	block, err := onlyBlock(b, "PRIVATE KEY")
	if err != nil {
		return nil, err
	}
	k, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("%w: %s is not a PKCS#8 key", ErrKey, path)
	}
	s, ok := k.(crypto.Signer)
	if !ok {
		return nil, fmt.Errorf("%w: unsupported algorithm %T", ErrKey, k)
	}
	return newKey(s)
}

// LoadOrMakeKey reads a private key, or makes one where there is no file.
func LoadOrMakeKey(path string) (*Key, error) {
	k, err := LoadKey(path)
	if !errors.Is(err, os.ErrNotExist) {
		return k, err
	}
	if k, err = GenerateKey(); err != nil {
		return nil, err
	}
	return k, k.Save(path)
}

// LoadPublicKey reads a public key file.
func LoadPublicKey(path string) (*PublicKey, error) {
	b, err := readBounded(path, MaxKeyFile, nil)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrKey, err)
	}
	return ParsePublicKey(b)
}

func onlyBlock(b []byte, kind string) (*pem.Block, error) {
	if len(b) > MaxKeyFile {
		return nil, fmt.Errorf("%w: key of %d bytes", ErrTooLarge, len(b))
	}
	block, rest := pem.Decode(b)
	if block == nil || block.Type != kind {
		return nil, fmt.Errorf("%w: no PEM block %q", ErrKey, kind)
	}
	if next, _ := pem.Decode(rest); next != nil {
		return nil, fmt.Errorf("%w: more than one PEM block", ErrKey)
	}
	return block, nil
}

func readBounded(path string, max int64, check func(os.FileMode) error) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if check != nil {
		if err := check(info.Mode()); err != nil {
			return nil, err
		}
	}
	b, err := io.ReadAll(io.LimitReader(f, max+1))
	if err != nil {
		return nil, err
	}
	if int64(len(b)) > max {
		return nil, fmt.Errorf("%w: %s is larger than %d bytes", ErrTooLarge, path, max)
	}
	return b, nil
}
