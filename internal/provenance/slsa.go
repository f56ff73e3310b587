package provenance

import (
	"fmt"

	"github.com/go-json-experiment/json/jsontext"
)

// descriptor is an artifact named by a predicate: SLSA v0.2's materials and
// configSource, v1's ResourceDescriptor.
type descriptor struct {
	URI    string            `json:"uri"`
	Digest map[string]string `json:"digest"`
}

// revision is the commit: GitHub's v1 says gitCommit, v0.2 and npm say sha1.
func (d descriptor) revision() string {
	if r := d.Digest["gitCommit"]; r != "" {
		return r
	}
	return d.Digest["sha1"]
}

type builder struct {
	ID string `json:"id"`
}

// https://slsa.dev/spec/v0.2/provenance#schema
type predicateV02 struct {
	Builder    builder `json:"builder"`
	BuildType  string  `json:"buildType"`
	Invocation struct {
		ConfigSource struct {
			descriptor `json:",inline"`
			EntryPoint string `json:"entryPoint"`
		} `json:"configSource"`
	} `json:"invocation"`
	Materials []descriptor `json:"materials"`
	Metadata  struct {
		InvocationID string `json:"buildInvocationId"`
	} `json:"metadata"`
}

func readV02(b jsontext.Value) (*Facts, error) {
	var p predicateV02
	if err := unmarshal(b, &p); err != nil {
		return nil, err
	}
	if err := identified(p.Builder.ID, p.BuildType, len(p.Materials)); err != nil {
		return nil, err
	}
	source := p.Invocation.ConfigSource
	f := &Facts{Builder: p.Builder.ID, BuildType: p.BuildType, Workflow: source.EntryPoint, Invocation: p.Metadata.InvocationID}
	f.source(source.descriptor, p.Materials)
	return f, nil
}

// https://slsa.dev/spec/v1.0/provenance#schema; workflow is what GitHub's
// build types put into externalParameters.
type predicateV1 struct {
	Definition struct {
		BuildType string `json:"buildType"`
		External  struct {
			Workflow struct {
				Ref        string `json:"ref"`
				Repository string `json:"repository"`
				Path       string `json:"path"`
			} `json:"workflow"`
			Source jsontext.Value `json:"source"`
		} `json:"externalParameters"`
		Dependencies []descriptor `json:"resolvedDependencies"`
	} `json:"buildDefinition"`
	Run struct {
		Builder  builder `json:"builder"`
		Metadata struct {
			InvocationID string `json:"invocationId"`
		} `json:"metadata"`
	} `json:"runDetails"`
}

func readV1(b jsontext.Value) (*Facts, error) {
	var p predicateV1
	if err := unmarshal(b, &p); err != nil {
		return nil, err
	}
	d, workflow := p.Definition, p.Definition.External.Workflow
	if err := identified(p.Run.Builder.ID, d.BuildType, len(d.Dependencies)); err != nil {
		return nil, err
	}
	f := &Facts{
		Builder: p.Run.Builder.ID, BuildType: d.BuildType, Workflow: workflow.Path, Invocation: p.Run.Metadata.InvocationID, Ref: workflow.Ref,
	}
	source := descriptor{URI: workflow.Repository}
	if source.URI == "" && d.External.Source.Kind() == '"' {
		// SLSA's own generators name the source by one URI.
		if err := unmarshal(d.External.Source, &source.URI); err != nil {
			return nil, err
		}
	}
	f.source(source, d.Dependencies)
	return f, nil
}

func identified(builderID, buildType string, materials int) error {
	switch {
	case builderID == "":
		return fmt.Errorf("%w: no builder id", ErrMalformed)
	case buildType == "":
		return fmt.Errorf("%w: no build type", ErrMalformed)
	case materials > maxMaterials:
		return fmt.Errorf("%w: %d materials", ErrMalformed, materials)
	}
	return nil
}

// source fills in repository, ref and revision. The revision is that of the
// material which is the repository itself: other materials are tools.
func (f *Facts) source(d descriptor, materials []descriptor) {
	if d.URI == "" {
		return
	}
	_, ref := splitRef(d.URI)
	f.Repository = CanonicalRepository(d.URI)
	if f.Ref == "" {
		f.Ref = ref
	}
	f.Revision = d.revision()
	for _, m := range materials {
		if f.Revision == "" && CanonicalRepository(m.URI) == f.Repository {
			f.Revision = m.revision()
		}
	}
}
