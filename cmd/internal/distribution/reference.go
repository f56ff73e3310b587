package distribution

import (
	"fmt"
	"net"
	"path"
	"path/filepath"
	"strings"

	"oras.land/oras-go/v2/registry"
)

// Reference is a place in a registry or in an image layout.
type Reference struct {
	layout string // folder of a layout; "" for a registry
	remote registry.Reference
	tag    string // or digest
}

// ParseReference reads oci://HOST[:PORT]/REPOSITORY{:TAG|@DIGEST}, or
// oci:DIR{:TAG|@DIGEST} for an OCI image layout in a folder. There is no
// default tag: what "latest" means is up to whoever may write there.
func ParseReference(s string) (Reference, error) {
	if rest, ok := strings.CutPrefix(s, "oci://"); ok {
		r, err := registry.ParseReference(rest)
		if err != nil {
			return Reference{}, fmt.Errorf("%w: %s: %w", ErrReference, s, err)
		}
		if r.Reference == "" {
			return Reference{}, fmt.Errorf("%w: %s: a tag or digest is needed", ErrReference, s)
		}
		return Reference{remote: r, tag: r.Reference}, nil
	}
	rest, ok := strings.CutPrefix(s, "oci:")
	if !ok {
		return Reference{}, fmt.Errorf("%w: %s: want oci://HOST/REPOSITORY:TAG or oci:DIR:TAG", ErrReference, s)
	}
	dir, tag := rest, ""
	if i := strings.LastIndexByte(rest, '@'); i >= 0 {
		dir, tag = rest[:i], rest[i+1:]
	} else if i := strings.LastIndexByte(rest, ':'); i >= 0 && !strings.ContainsAny(rest[i:], `/\`) {
		dir, tag = rest[:i], rest[i+1:]
	}
	check := registry.Reference{Registry: "layout.invalid", Repository: "x", Reference: tag}
	if dir == "" || tag == "" || check.ValidateReference() != nil {
		return Reference{}, fmt.Errorf("%w: %s: a folder and a tag or digest are needed", ErrReference, s)
	}
	return Reference{layout: filepath.Clean(dir), tag: tag}, nil
}

// Name is the scanner's name that a repository suggests: the last element of its
// path. A layout suggests none.
func (r Reference) Name() string {
	if r.layout != "" {
		return ""
	}
	return path.Base(r.remote.Repository)
}

// Tag is the tag, "" if the reference is a digest.
func (r Reference) Tag() string {
	if strings.Contains(r.tag, ":") {
		return ""
	}
	return r.tag
}

// plain says whether a registry may be spoken to without TLS.
func (r Reference) plain(o Options) bool {
	return r.layout == "" && (o.UnsafePlaintext || loopback(r.remote.Host()))
}

func loopback(hostport string) bool {
	host := hostport
	if h, _, err := net.SplitHostPort(hostport); err == nil {
		host = h
	}
	host = strings.Trim(host, "[]")
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
