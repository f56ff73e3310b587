package sbom

// Decode reads a stored document strictly.
func Decode(b []byte) (*Document, error) { return nil, ErrUnsupported }
