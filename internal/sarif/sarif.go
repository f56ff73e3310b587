// Package sarif writes logs of the Static Analysis Results Interchange Format,
// SARIF 2.1.0 (OASIS, with errata 01), in so far as scans of JSON documents need
// it. Section numbers below are of that specification. It must not know what is
// looked for, nor by whom.
package sarif

// Log is a SARIF log file (3.13).
type Log struct {
	Schema  string `json:"$schema"`
	Version string `json:"version"`
	Runs    []Run  `json:"runs"`
}

// schema is where OASIS publishes the format's JSON schema.
const schema = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"

// New returns a log of one run.
func New(r Run) Log { return Log{Schema: schema, Version: "2.1.0", Runs: []Run{r}} }

// Run is one run of a tool (3.14).
type Run struct {
	Tool        Tool         `json:"tool"`
	ColumnKind  string       `json:"columnKind"` // Columns
	Invocations []Invocation `json:"invocations,omitzero"`
	Artifacts   []Artifact   `json:"artifacts,omitzero"`
	Taxonomies  []Component  `json:"taxonomies,omitzero"`
	Results     []Result     `json:"results"` // empty: nothing was found
}

// Columns is how Region counts columns.
const Columns = "unicodeCodePoints"

// Tool is what was run (3.18).
type Tool struct {
	Driver     Component   `json:"driver"`
	Extensions []Component `json:"extensions,omitzero"`
}

// Component is a program, an extension or a taxonomy (3.19).
type Component struct {
	Name                string         `json:"name"`
	FullName            string         `json:"fullName,omitempty"`
	Organization        string         `json:"organization,omitempty"`
	Version             string         `json:"version,omitempty"`
	InformationURI      string         `json:"informationUri,omitempty"`
	ShortDescription    *Text          `json:"shortDescription,omitzero"`
	SupportedTaxonomies []ComponentRef `json:"supportedTaxonomies,omitzero"`
	Rules               []Descriptor   `json:"rules,omitzero"`
	Notifications       []Descriptor   `json:"notifications,omitzero"`
	Taxa                []Descriptor   `json:"taxa,omitzero"`
	Properties          any            `json:"properties,omitzero"`
}

// Descriptor is a rule, a kind of notification or a taxon (3.49).
type Descriptor struct {
	ID                   string         `json:"id"`
	Name                 string         `json:"name,omitempty"`
	ShortDescription     *Text          `json:"shortDescription,omitzero"`
	FullDescription      *Text          `json:"fullDescription,omitzero"`
	Help                 *Text          `json:"help,omitzero"`
	HelpURI              string         `json:"helpUri,omitempty"`
	DefaultConfiguration *Configuration `json:"defaultConfiguration,omitzero"`
	Relationships        []Relationship `json:"relationships,omitzero"`
	Properties           any            `json:"properties,omitzero"`
}

// Configuration is how a rule is reported (3.50).
type Configuration struct {
	Level string `json:"level"`
}

// Relationship ties a rule to a taxon (3.53).
type Relationship struct {
	Target DescriptorRef `json:"target"`
	Kinds  []string      `json:"kinds"`
}

// DescriptorRef names a descriptor (3.52).
type DescriptorRef struct {
	ID            string        `json:"id,omitempty"`
	Index         int           `json:"index"`
	ToolComponent *ComponentRef `json:"toolComponent,omitzero"` // nil: the driver
}

// ComponentRef names a component (3.54).
type ComponentRef struct {
	Name  string `json:"name"`
	Index int    `json:"index"`
}

// Text is plain text, with the same in Markdown where there is more to show
// (3.11, 3.12).
type Text struct {
	Text     string `json:"text"`
	Markdown string `json:"markdown,omitempty"`
}

// Levels (3.27.10).
const (
	Note    = "note"
	Warning = "warning"
	Error   = "error"
)

// Result is one finding (3.27).
type Result struct {
	RuleID              string            `json:"ruleId"`
	RuleIndex           int               `json:"ruleIndex"`
	Kind                string            `json:"kind"`
	Level               string            `json:"level"`
	Message             Text              `json:"message"`
	Locations           []Location        `json:"locations"`
	PartialFingerprints map[string]string `json:"partialFingerprints,omitzero"`
	Rank                float64           `json:"rank"` // 0 to 100
	Taxa                []DescriptorRef   `json:"taxa,omitzero"`
	Properties          any               `json:"properties,omitzero"`
}

// Location is where something was found (3.28).
type Location struct {
	PhysicalLocation *PhysicalLocation `json:"physicalLocation,omitzero"`
	LogicalLocations []LogicalLocation `json:"logicalLocations"`
}

// PhysicalLocation is a place in a file (3.29).
type PhysicalLocation struct {
	ArtifactLocation ArtifactLocation `json:"artifactLocation"`
	Region           *Region          `json:"region,omitzero"` // nil: the whole of it
}

// ArtifactLocation names a file (3.4).
type ArtifactLocation struct {
	URI   string `json:"uri"`
	Index int    `json:"index"` // in Run.Artifacts
}

// LogicalLocation is a place in a JSON document, by its JSON Pointer (3.33).
type LogicalLocation struct {
	Name               string `json:"name,omitempty"`
	FullyQualifiedName string `json:"fullyQualifiedName"`
	Kind               string `json:"kind"`
}

// Artifact is a file that was examined (3.24).
type Artifact struct {
	Location ArtifactLocation  `json:"location"`
	Roles    []string          `json:"roles"`
	MIMEType string            `json:"mimeType,omitempty"`
	Length   int               `json:"length"`
	Hashes   map[string]string `json:"hashes"`
}

// Invocation is how the run went (3.20).
type Invocation struct {
	ExecutionSuccessful bool           `json:"executionSuccessful"`
	ExitCode            int            `json:"exitCode"`
	Notifications       []Notification `json:"toolExecutionNotifications"`
	Properties          any            `json:"properties,omitzero"`
}

// Notification is what went wrong in a run (3.58).
type Notification struct {
	Level      string        `json:"level"`
	Descriptor DescriptorRef `json:"descriptor"`
	Message    Text          `json:"message"`
}
