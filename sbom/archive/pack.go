package archive

// Pack returns a deterministic tar.gz of dir.
func Pack(dir string, lim Limits) ([]byte, error) { return nil, ErrUnsupported }
