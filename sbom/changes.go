package sbom

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
	Completeness   []Completeness    `json:"completeness,omitempty"` // before and after, if they differ
}

// Empty reports whether the two documents describe the same server.
func (c Changes) Empty() bool {
	return len(c.Added)+len(c.Removed)+len(c.Changed)+len(c.EntriesAdded)+len(c.EntriesRemoved)+
		len(c.EntriesChanged)+len(c.ScopesAdded)+len(c.ScopesRemoved)+len(c.Completeness) == 0
}

// Entries lists the MCP entries that the document records.
func (d *Document) Entries() []EntryView {
	var out []EntryView
	for s := range each(d.bom.Services) {
		for e := range each(s.Services) {
			v := EntryView{Key: e.Name}
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
