package client

import (
	"context"
	"fmt"
	"io"
	"mime/multipart"
	"net/textproto"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/bartizan-mcp/bartizan/internal/admission"
	"github.com/bartizan-mcp/bartizan/internal/registryapi"
)

// Publication is what Publish sends.
type Publication struct {
	Server   []byte // server.json
	Options  registryapi.PublishOptions
	Listing  []byte    // capture; nil: the registry captures the remote itself
	Bundles  [][]byte  // Sigstore bundles
	Artifact io.Reader // nil without one
}

// Publish sends a publication and waits for the pipeline's answer.
func (c *Client) Publish(ctx context.Context, p Publication) (*admission.Version, error) {
	options, err := json.Marshal(p.Options)
	if err != nil {
		return nil, err
	}
	r, w := io.Pipe()
	defer r.Close()
	parts := multipart.NewWriter(w)
	go func() { w.CloseWithError(p.write(parts, options)) }()
	var v admission.Version
	err = c.do(ctx, request{method: "POST", path: []string{"api", "v1", "publications"}, raw: r, media: parts.FormDataContentType()}, &v)
	return &v, err
}

func (p *Publication) write(w *multipart.Writer, options []byte) error {
	small := func(name string, b []byte) error {
		part, err := w.CreatePart(header(name, "application/json"))
		if err != nil {
			return err
		}
		_, err = part.Write(b)
		return err
	}
	if err := small(registryapi.PartServer, p.Server); err != nil {
		return err
	}
	if err := small(registryapi.PartOptions, options); err != nil {
		return err
	}
	if p.Listing != nil {
		if err := small(registryapi.PartListing, p.Listing); err != nil {
			return err
		}
	}
	for _, b := range p.Bundles {
		if err := small(registryapi.PartBundle, b); err != nil {
			return err
		}
	}
	if p.Artifact != nil {
		part, err := w.CreatePart(header(registryapi.PartArtifact, "application/octet-stream"))
		if err != nil {
			return err
		}
		if _, err := io.Copy(part, p.Artifact); err != nil {
			return fmt.Errorf("read the artifact: %w", err)
		}
	}
	return w.Close()
}

func header(name, media string) textproto.MIMEHeader {
	return textproto.MIMEHeader{
		"Content-Disposition": {`form-data; name="` + name + `"; filename="` + name + `"`},
		"Content-Type":        {media},
	}
}

// Attach adds bundles to a version that is quarantined as unsigned.
func (c *Client) Attach(ctx context.Context, name, version string, bundles ...[]byte) (*admission.Version, error) {
	body := registryapi.Attachment{}
	for _, b := range bundles {
		body.Bundles = append(body.Bundles, jsontext.Value(b))
	}
	var v admission.Version
	err := c.do(ctx, request{method: "POST", path: []string{"v0.1", "x", "io.github.bartizan-mcp", "servers", name, "versions", version, "attestations"}, body: body}, &v)
	return &v, err
}
