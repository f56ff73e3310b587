package image

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/bartizan-mcp/bartizan/internal/archive"
)

// The parts of https://github.com/opencontainers/image-spec that matter here.
type (
	descriptor struct {
		MediaType   string            `json:"mediaType"`
		Digest      string            `json:"digest"`
		Size        int64             `json:"size"`
		Platform    *platform         `json:"platform"`
		Annotations map[string]string `json:"annotations"`
	}
	platform struct {
		OS           string `json:"os"`
		Architecture string `json:"architecture"`
		Variant      string `json:"variant"`
	}
	// document is an index or a manifest, told apart by what it holds.
	document struct {
		MediaType   string            `json:"mediaType"`
		Manifests   []descriptor      `json:"manifests"`
		Config      *descriptor       `json:"config"`
		Layers      []descriptor      `json:"layers"`
		Annotations map[string]string `json:"annotations"`
	}
	configuration struct {
		platform
		Config struct {
			Labels map[string]string `json:"Labels"`
		} `json:"config"`
		RootFS struct {
			Type    string   `json:"type"`
			DiffIDs []string `json:"diff_ids"`
		} `json:"rootfs"`
	}
	// saved is one image of a docker archive.
	saved struct {
		Config string   `json:"Config"`
		Layers []string `json:"Layers"`
	}
)

func (p platform) String() string {
	s := p.OS + "/" + p.Architecture
	if p.Variant != "" {
		s += "/" + p.Variant
	}
	return s
}

// meaningful keys of indexes, manifests and configurations, by lower case. Go's
// own decoder, which runtimes use, takes them in any case: one document would
// have other layers there than here.
var meaningful = func() map[string]string {
	m := map[string]string{}
	for _, k := range []string{
		"manifests", "config", "layers", "digest", "mediaType", "platform", "rootfs", "diff_ids", "os", "architecture", "variant",
	} {
		m[strings.ToLower(k)] = k
	}
	return m
}()

// authored are objects whose keys are their author's.
var authored = map[string]bool{"annotations": true, "Labels": true, "history": true, "container_config": true}

// decode reads a document strictly, after one pass that bounds its nesting.
func decode(name string, b []byte, into any) error {
	if err := checkKeys(b); err != nil {
		return fmt.Errorf("%w: %q: %.200s", archive.ErrHostile, name, strings.ToValidUTF8(err.Error(), "?"))
	}
	if err := json.Unmarshal(b, into); err != nil {
		return fmt.Errorf("%w: %q: %.200s", archive.ErrHostile, name, strings.ToValidUTF8(err.Error(), "?"))
	}
	return nil
}

func checkKeys(b []byte) error {
	d := jsontext.NewDecoder(bytes.NewReader(b))
	saved := len(b) > 0 && bytes.TrimLeft(b, " \t\r\n")[0] == '[' // manifest.json of a docker archive
	for {
		depth := d.StackDepth()
		if depth > 64 {
			return errors.New("nested more than 64 deep")
		}
		parent, n := d.StackIndex(depth)
		tok, err := d.ReadToken()
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		case parent == '{' && n%2 == 0 && tok.Kind() == '"':
			key := tok.String()
			if want, ok := meaningful[strings.ToLower(key)]; ok && want != key && !saved {
				return fmt.Errorf("key %q differs from %q only in case", key, want)
			}
			if authored[key] {
				if err := d.SkipValue(); err != nil {
					return err
				}
			}
		}
	}
}

func sha256Of(b []byte) string {
	sum := sha256.Sum256(b)
	return "sha256:" + hex.EncodeToString(sum[:])
}

// readOCI follows index.json to every image.
func (l *Layout) readOCI(ctx context.Context) error {
	b, err := l.blob("oci-layout", "")
	if err != nil {
		return err
	}
	var layout struct {
		Version string `json:"imageLayoutVersion"`
	}
	if err := decode("oci-layout", b, &layout); err != nil {
		return err
	}
	if !strings.HasPrefix(layout.Version, "1.") {
		return fmt.Errorf("%w: image layout %.20q", archive.ErrUnsupported, layout.Version)
	}
	if b, err = l.blob("index.json", ""); err != nil {
		return err
	}
	var index document
	if err := decode("index.json", b, &index); err != nil {
		return err
	}
	seen := 0
	return l.readIndex(ctx, index.Manifests, 1, &seen)
}

func (l *Layout) readIndex(ctx context.Context, list []descriptor, depth int, seen *int) error {
	if depth > maxIndexes {
		return fmt.Errorf("%w: indexes of images nested more than %d deep", archive.ErrTooLarge, maxIndexes)
	}
	for _, d := range list {
		if err := ctx.Err(); err != nil {
			return err
		}
		if *seen++; *seen > maxManifests {
			return fmt.Errorf("%w: more than %d manifests", archive.ErrTooLarge, maxManifests)
		}
		if d.Annotations["vnd.docker.reference.type"] == "attestation-manifest" {
			continue // a statement about another manifest of the index
		}
		name, err := blobPath(d.Digest)
		if err != nil {
			return err
		}
		if !l.store.has(name) {
			l.Missing = append(l.Missing, d.what())
			continue
		}
		b, err := l.blob(name, d.Digest)
		if err != nil {
			return err
		}
		if int64(len(b)) != d.Size {
			return fmt.Errorf("%w: %s is of another size than its descriptor says", archive.ErrHostile, d.Digest)
		}
		var doc document
		if err := decode(name, b, &doc); err != nil {
			return err
		}
		switch {
		case doc.Manifests != nil && doc.Config == nil && doc.Layers == nil:
			err = l.readIndex(ctx, doc.Manifests, depth+1, seen)
		case doc.Config != nil && doc.Manifests == nil:
			err = l.readManifest(d, doc)
		default: // one that some readers take for an index and others for an image
			err = fmt.Errorf("%w: %s is both an index and a manifest, or neither", archive.ErrHostile, d.Digest)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// what names an image for people.
func (d descriptor) what() string {
	if d.Platform != nil && d.Platform.OS != "" {
		return d.Platform.String()
	}
	return d.Digest
}

var configTypes = map[string]bool{
	"application/vnd.oci.image.config.v1+json":       true,
	"application/vnd.docker.container.image.v1+json": true,
}

func (l *Layout) readManifest(d descriptor, doc document) error {
	if !configTypes[doc.Config.MediaType] {
		l.Other = append(l.Other, d.Digest)
		return nil
	}
	name, err := blobPath(doc.Config.Digest)
	if err != nil {
		return err
	}
	b, err := l.blob(name, doc.Config.Digest)
	if err != nil {
		return err
	}
	var layers []layer
	for _, d := range doc.Layers {
		at, err := blobPath(d.Digest)
		if err != nil {
			return err
		}
		if !l.store.has(at) {
			return fmt.Errorf("%w: layer %s is not in the artifact", archive.ErrUnsupported, d.Digest)
		}
		layers = append(layers, layer{name: at, digest: d.Digest})
	}
	return l.add(d.Digest, name, b, layers)
}

// readDocker reads what `docker save` wrote before it wrote layouts.
func (l *Layout) readDocker(ctx context.Context) error {
	b, err := l.blob("manifest.json", "")
	if err != nil {
		return err
	}
	var list []saved
	if err := decode("manifest.json", b, &list); err != nil {
		return err
	}
	for _, s := range list {
		if err := ctx.Err(); err != nil {
			return err
		}
		name, err := archive.CleanName(s.Config)
		if err != nil {
			return err
		}
		// The name is the digest, whichever of its folders it lies in.
		digest := "sha256:" + strings.TrimSuffix(path.Base(name), ".json")
		if _, err := blobPath(digest); err != nil {
			digest = ""
		}
		b, err := l.blob(name, digest)
		if err != nil {
			return err
		}
		var layers []layer
		for _, s := range s.Layers {
			at, err := archive.CleanName(s)
			if err != nil {
				return err
			}
			layers = append(layers, layer{name: at})
		}
		if err := l.add(sha256Of(b), name, b, layers); err != nil {
			return err
		}
	}
	return nil
}

// add takes an image with its configuration, which says what its layers unpack to.
func (l *Layout) add(digest, name string, config []byte, layers []layer) error {
	var c configuration
	if err := decode(name, config, &c); err != nil {
		return err
	}
	switch {
	case len(l.Images) >= maxImages:
		return fmt.Errorf("%w: more than %d images", archive.ErrTooLarge, maxImages)
	case len(layers) > maxLayers:
		return fmt.Errorf("%w: more than %d layers", archive.ErrTooLarge, maxLayers)
	case len(layers) != len(c.RootFS.DiffIDs) || c.RootFS.Type != "layers":
		return fmt.Errorf("%w: %s has %d layers, and its configuration names %d", archive.ErrHostile, digest, len(layers), len(c.RootFS.DiffIDs))
	case c.OS == "" || c.Architecture == "" || strings.ContainsAny(c.String(), " \\.") || len(c.String()) > 100 || strings.Count(c.String(), "/") > 2:
		return fmt.Errorf("%w: platform %.100q", archive.ErrHostile, c.String())
	}
	for i := range layers {
		if _, err := blobPath(c.RootFS.DiffIDs[i]); err != nil {
			return err
		}
		layers[i].diffID = c.RootFS.DiffIDs[i]
	}
	l.Images = append(l.Images, Image{Platform: c.String(), Digest: digest, Labels: c.Config.Labels, layers: layers})
	return nil
}
