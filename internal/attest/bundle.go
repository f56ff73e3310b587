package attest

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/go-json-experiment/json/jsontext"
	protobundle "github.com/sigstore/protobuf-specs/gen/pb-go/bundle/v1"
	"github.com/sigstore/sigstore-go/pkg/bundle"
)

// parseBundle reads a Sigstore bundle after its size, depth and syntax are
// settled: protobuf's JSON reader alone would nest ten thousand deep.
func parseBundle(b []byte) (*bundle.Bundle, error) {
	if len(b) > MaxBundle {
		return nil, fmt.Errorf("%w: bundle of %d bytes", ErrTooLarge, len(b))
	}
	if err := checkJSON(b); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrBundle, err)
	}
	if isCosignV2(b) {
		return fromCosignV2(b)
	}
	out := new(bundle.Bundle)
	if err := out.UnmarshalJSON(b); err != nil {
		if errors.Is(err, bundle.ErrUnsupportedMediaType) {
			return nil, refuse(ReasonVersion, ErrBundle, "%w", err)
		}
		return nil, fmt.Errorf("%w: %w", ErrBundle, err)
	}
	return out, nil
}

// payload returns the statement bytes of a DSSE bundle, not yet verified.
func payload(b *bundle.Bundle) ([]byte, error) {
	c, ok := b.Content.(*protobundle.Bundle_DsseEnvelope)
	if !ok || c.DsseEnvelope == nil {
		return nil, fmt.Errorf("%w: message signature", ErrContent)
	}
	if c.DsseEnvelope.PayloadType != PayloadType {
		return nil, fmt.Errorf("%w: another payload type", ErrContent)
	}
	// A bundle has one verification material, so it can have one signature.
	if n := len(c.DsseEnvelope.Signatures); n != 1 {
		return nil, refuse(ReasonSignatureCount, ErrUnverified, "%d signatures", n)
	}
	return c.DsseEnvelope.Payload, nil
}

var errDepth = errors.New("nested too deep")

// checkJSON settles syntax, duplicate members, UTF-8, trailing bytes and depth
// of one JSON object in a single pass that allocates nothing of its size.
func checkJSON(b []byte) error {
	dec := jsontext.NewDecoder(bytes.NewBuffer(b))
	if dec.PeekKind() != '{' {
		return errors.New("not a JSON object")
	}
	for {
		if _, err := dec.ReadToken(); err != nil {
			return err
		}
		switch depth := dec.StackDepth(); {
		case depth > maxDepth:
			return errDepth
		case depth == 0:
			if _, err := dec.ReadToken(); err != io.EOF {
				return errors.New("bytes after the JSON object")
			}
			return nil
		}
	}
}
