package registry

import (
	"maps"
	"slices"
	"strings"

	"github.com/bartizan-mcp/bartizan/internal/admission"
	"github.com/bartizan-mcp/bartizan/internal/permission"
	"github.com/bartizan-mcp/bartizan/registry/checklist"
	"github.com/bartizan-mcp/bartizan/registry/serverjson"
	"github.com/bartizan-mcp/bartizan/sbom"
)

// declared is what the publisher declares that the server needs, in server.json
// or beside it; nil for nothing. Twice is once too often: nobody could say which
// one was reviewed.
func declared(doc *serverjson.Document, o *PublishOptions) (*permission.Declaration, error) {
	if o.Permissions == nil {
		return doc.Permissions, nil
	}
	if doc.Permissions != nil {
		return nil, refuse(ErrInvalid, RefusedOptions, "permissions are declared in server.json already")
	}
	d, err := permission.Parse(o.Permissions)
	if err != nil {
		return nil, refuse(ErrInvalid, RefusedOptions, "%s", err)
	}
	return d, nil
}

// scopes are those that the publisher names and those that follow from the
// declaration: what an approval is about.
func scopes(named []string, d *permission.Declaration) []string {
	out := named
	for _, s := range d.Scopes() {
		if !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	return out
}

// undeclared compares a declaration with the launch and the listing.
func undeclared(w *work) (d checklist.Declaration) {
	p := w.v.Permissions
	d.Permissions = p
	if p == nil {
		return d
	}
	tools := map[string]bool{}
	for _, era := range w.prints {
		for _, e := range era.set.Entries {
			if e.Kind.String() == "tool" {
				tools[e.Key] = true
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(p.Tools)) {
		if !tools[name] {
			d.Unlisted = append(d.Unlisted, admission.Visible(name))
		}
	}
	if p.Env != nil {
		for _, name := range slices.Concat(w.v.Launch.EnvNames, slices.Sorted(maps.Keys(w.v.Launch.Env))) {
			if !slices.Contains(p.Env, name) {
				d.UndeclaredEnv = append(d.UndeclaredEnv, name)
			}
		}
	}
	return d
}

// needsOf is what is declared for one entry; nil for nothing.
func needsOf(p *permission.Declaration, kind, key string) *permission.Needs {
	if p == nil || kind != "tool" {
		return nil
	}
	if n, ok := p.Tools[key]; ok {
		return &n
	}
	return nil
}

// transportOf names how the server is spoken to.
func transportOf(l admission.Launch) string {
	switch {
	case len(l.Command) > 0:
		return "stdio"
	case l.Transport != "":
		return l.Transport
	}
	return serverjson.TypeHTTP
}

// authenticated says whether the endpoint asks for credentials: no, if its
// listing was read without; yes, if server.json says that a header carries one.
func authenticated(w *work) *bool {
	yes, no := true, false
	if endpointAnonymous(&w.v.Version) {
		return &no
	}
	for _, r := range w.doc.Remotes {
		if r.URL != w.v.Launch.URL {
			continue
		}
		if slices.ContainsFunc(r.Headers, func(h serverjson.Input) bool { return h.Secret || strings.EqualFold(h.Name, "Authorization") }) {
			return &yes
		}
	}
	return nil
}

// sealed is the connection as the SBOM has it.
func sealed(t *admission.TLS) *sbom.TLS {
	if t == nil {
		return nil
	}
	out := &sbom.TLS{Version: t.Version, Cipher: t.Cipher}
	for _, c := range t.Chain {
		out.Chain = append(out.Chain, sbom.Certificate{Subject: c.Subject, Issuer: c.Issuer, NotAfter: c.NotAfter, SPKI: c.SPKI})
	}
	return out
}
