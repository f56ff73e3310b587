package sbom

import (
	"slices"
	"strings"

	cdx "github.com/CycloneDX/cyclonedx-go"
)

// ComponentChange is a component that two documents describe differently.
type ComponentChange struct {
	Before Component `json:"before"`
	After  Component `json:"after"`
}

// EntryView is an MCP entry as a document records it.
type EntryView struct {
	Kind        string   `json:"kind"`
	Key         string   `json:"key"`
	Fingerprint string   `json:"fingerprint"`
	Whole       string   `json:"whole,omitempty"`
	Eras        []string `json:"eras,omitempty"`
	Scopes      []string `json:"scopes,omitempty"`
	Data        []string `json:"data,omitempty"` // flow and classification
}

// EntryChange is an entry that two documents describe differently.
type EntryChange struct {
	Before EntryView `json:"before"`
	After  EntryView `json:"after"`
}

// Changes is what differs between two documents. Lists are sorted.
type Changes struct {
	Added          []Component       `json:"added,omitempty"`
	Removed        []Component       `json:"removed,omitempty"`
	Changed        []ComponentChange `json:"changed,omitempty"` // other version, hash, licence or scope
	EntriesAdded   []EntryView       `json:"entriesAdded,omitempty"`
	EntriesRemoved []EntryView       `json:"entriesRemoved,omitempty"`
	EntriesChanged []EntryChange     `json:"entriesChanged,omitempty"`
	ScopesAdded    []string          `json:"scopesAdded,omitempty"`
	ScopesRemoved  []string          `json:"scopesRemoved,omitempty"`
	Endpoint       []EndpointView    `json:"endpoint,omitempty"`     // before and after, if they differ
	Completeness   []Completeness    `json:"completeness,omitempty"` // before and after, if they differ
}

// Empty reports whether the two documents describe the same server.
func (c Changes) Empty() bool {
	return len(c.Added)+len(c.Removed)+len(c.Changed)+len(c.EntriesAdded)+len(c.EntriesRemoved)+
		len(c.EntriesChanged)+len(c.ScopesAdded)+len(c.ScopesRemoved)+len(c.Endpoint)+len(c.Completeness) == 0
}

// Entries lists the MCP entries that the document records.
func (d *Document) Entries() []EntryView {
	var out []EntryView
	for s := range each(d.bom.Services) {
		for e := range each(s.Services) {
			v := EntryView{Key: e.Name, Data: dataLines(e.Data)}
			for p := range each(e.Properties) {
				behavioural, whole := isFingerprint(p.Name)
				switch {
				case p.Name == propMCPKind:
					v.Kind = p.Value
				case p.Name == propMCPEra:
					v.Eras = append(v.Eras, p.Value)
				case p.Name == propMCPScope:
					v.Scopes = append(v.Scopes, p.Value)
				case behavioural:
					v.Fingerprint = p.Value
				case whole:
					v.Whole = p.Value
				}
			}
			if v.Kind == "instructions" || v.Kind == "capabilities" {
				v.Key = "" // there is one of each, without a name
			}
			out = append(out, v)
		}
	}
	return out
}

// Scopes lists the permission scopes of the server as a whole.
func (d *Document) Scopes() []string {
	var out []string
	for s := range each(d.bom.Services) {
		for p := range each(s.Properties) {
			if p.Name == propMCPScope {
				out = append(out, p.Value)
			}
		}
	}
	return out
}

// EndpointView is the MCP endpoint as a document records it, but for its
// entries, scopes and listing roots.
type EndpointView struct {
	Endpoint      string   `json:"endpoint,omitempty"`
	Transport     string   `json:"transport,omitempty"`
	Authenticated *bool    `json:"authenticated,omitempty"`
	LeavesTrust   *bool    `json:"leavesTrust,omitempty"` // x-trust-boundary
	Data          []string `json:"data,omitempty"`        // flow and classification
	TLS           []string `json:"tls,omitempty"`         // name and value
}

// Endpoint is the MCP endpoint; the zero view where the document has none.
func (d *Document) Endpoint() EndpointView {
	var v EndpointView
	for s := range each(d.bom.Services) {
		for e := range each(s.Endpoints) {
			v.Endpoint = *e
		}
		v.Authenticated, v.LeavesTrust, v.Data = s.Authenticated, s.CrossesTrustBoundary, dataLines(s.Data)
		for p := range each(s.Properties) {
			if name, ok := strings.CutPrefix(p.Name, propTLS); ok {
				v.TLS = append(v.TLS, name+" "+p.Value)
			} else if p.Name == propMCPTransport {
				v.Transport = p.Value
			}
		}
		return v
	}
	return v
}

// Equal compares two views.
func (v EndpointView) Equal(w EndpointView) bool {
	same := func(a, b *bool) bool { return (a == nil) == (b == nil) && (a == nil || *a == *b) }
	return v.Endpoint == w.Endpoint && v.Transport == w.Transport && same(v.Authenticated, w.Authenticated) &&
		same(v.LeavesTrust, w.LeavesTrust) && slices.Equal(v.Data, w.Data) && slices.Equal(v.TLS, w.TLS)
}

// Definitions is the SHA-256 of the definitions beside the document, in hex;
// empty without.
func (d *Document) Definitions() string {
	for s := range each(d.bom.Services) {
		for p := range each(s.Properties) {
			if p.Name == propMCPDefinitions {
				return p.Value
			}
		}
	}
	return ""
}

func dataLines(data *[]cdx.DataClassification) []string {
	var out []string
	for d := range each(data) {
		out = append(out, string(d.Flow)+" "+d.Classification)
	}
	return out
}
