package fingerprint

import (
	"encoding/hex"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/go-cmp/cmp"

	"github.com/bartizan-mcp/bartizan/internal/listing"
)

var update = flag.Bool("update", false, "rewrite the expected values of testdata/vectors.json")

// vectors is the schema of testdata/vectors.json. Inputs are JSON texts held in
// strings, so that their spelling survives any JSON tool.
type vectors struct {
	Comment   string            `json:"comment"`
	Canonical []canonicalVector `json:"canonical"`
	Leaves    []leafVector      `json:"leaves"`
	Entries   []entryVector     `json:"entries"`
	Listings  []listingVector   `json:"listings"`
	Refused   []refusedVector   `json:"refused"`
}

type canonicalVector struct {
	Name      string `json:"name"`
	Input     string `json:"input"`
	Canonical string `json:"canonical"`
}

type leafVector struct {
	Name   string       `json:"name"`
	Input  string       `json:"input"`
	Leaves []vectorLeaf `json:"leaves"`
}

type vectorLeaf struct {
	Pointer string `json:"pointer"`
	Value   string `json:"value"`
	Digest  string `json:"digest"`
}

type entryVector struct {
	Name        string   `json:"name"`
	Kind        string   `json:"kind"`
	Input       string   `json:"input"`
	Volatile    []string `json:"volatile,omitzero"`
	Key         string   `json:"key"`
	Canonical   string   `json:"canonical"`
	Whole       Digest   `json:"whole"`
	Behavioural Digest   `json:"behavioural"`
}

type listingVector struct {
	Name         string       `json:"name"`
	Instructions *string      `json:"instructions,omitzero"`
	Capabilities string       `json:"capabilities,omitzero"`
	Tools        []string     `json:"tools,omitzero"`
	Prompts      []string     `json:"prompts,omitzero"`
	Templates    []string     `json:"templates,omitzero"`
	Resources    []string     `json:"resources,omitzero"`
	Entries      []vectorItem `json:"entries"`
	Held         []vectorItem `json:"held,omitzero"`
	Root         Digest       `json:"root"`
}

type vectorItem struct {
	Kind string `json:"kind"`
	Key  string `json:"key"`
}

type refusedVector struct {
	Name     string `json:"name"`
	Kind     string `json:"kind,omitzero"` // none: the canonical value itself is refused
	Input    string `json:"input,omitzero"`
	InputHex string `json:"inputHex,omitzero"` // of inputs that are not UTF-8
	Reason   string `json:"reason"`
}

var reasons = map[string]error{
	"malformed": ErrMalformed, "duplicate-key": ErrDuplicateKey, "case-variant": ErrCaseVariant,
	"number-too-long": ErrNumberTooLong, "external-reference": ErrExternalReference,
}

func TestVectors(t *testing.T) {
	path := filepath.Join("testdata", "vectors.json")
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var want vectors
	if err := json.Unmarshal(b, &want, json.RejectUnknownMembers(true)); err != nil {
		t.Fatal(err)
	}
	got := want
	got.Canonical, got.Leaves = slices.Clone(want.Canonical), slices.Clone(want.Leaves)
	got.Entries, got.Listings = slices.Clone(want.Entries), slices.Clone(want.Listings)
	for i := range got.Canonical {
		got.Canonical[i].compute(t)
	}
	for i := range got.Leaves {
		got.Leaves[i].compute(t)
	}
	for i := range got.Entries {
		got.Entries[i].compute(t)
	}
	for i := range got.Listings {
		got.Listings[i].compute(t)
	}
	for _, v := range got.Refused {
		v.check(t)
	}
	if *update {
		out, err := json.Marshal(got, jsontext.WithIndent("  "))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, append(out, '\n'), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("vectors (-file +computed):\n%s", diff)
	}
}

func (v *canonicalVector) compute(t *testing.T) {
	b, err := Canonical(jsontext.Value(v.Input))
	if err != nil {
		t.Errorf("%s: %v", v.Name, err)
	}
	v.Canonical = string(b)
}

func (v *leafVector) compute(t *testing.T) {
	leaves, err := Leaves(jsontext.Value(v.Input))
	if err != nil {
		t.Errorf("%s: %v", v.Name, err)
	}
	v.Leaves = nil
	for _, l := range leaves {
		v.Leaves = append(v.Leaves, vectorLeaf{l.Pointer, string(l.Value), l.Digest.String()})
	}
}

func (v *entryVector) compute(t *testing.T) {
	kind, err := ParseKind(v.Kind)
	if err != nil {
		t.Fatal(err)
	}
	e, err := OfEntry(kind, jsontext.Value(v.Input), v.Volatile)
	if err != nil {
		t.Errorf("%s: %v", v.Name, err)
	}
	v.Key, v.Canonical, v.Whole, v.Behavioural = e.Key, string(e.Canonical), e.Whole, e.Behavioural
}

func (v *listingVector) compute(t *testing.T) {
	values := func(texts []string) (all []jsontext.Value) {
		for _, s := range texts {
			all = append(all, jsontext.Value(s))
		}
		return all
	}
	l := &listing.Listing{Instructions: v.Instructions, Tools: values(v.Tools), Prompts: values(v.Prompts),
		Templates: values(v.Templates), Resources: values(v.Resources)}
	if v.Capabilities != "" {
		l.Capabilities = jsontext.Value(v.Capabilities)
	}
	s, err := OfListing(l, nil)
	if err != nil {
		t.Errorf("%s: %v", v.Name, err)
		return
	}
	v.Entries, v.Held, v.Root = []vectorItem{}, nil, s.Root
	for _, e := range s.Entries {
		v.Entries = append(v.Entries, vectorItem{e.Kind.String(), e.Key})
	}
	for _, h := range s.Held {
		v.Held = append(v.Held, vectorItem{h.Kind.String(), h.Key})
	}
}

func (v *refusedVector) check(t *testing.T) {
	input := []byte(v.Input)
	if v.InputHex != "" {
		var err error
		if input, err = hex.DecodeString(v.InputHex); err != nil {
			t.Fatal(err)
		}
	}
	var err error
	if v.Kind == "" {
		_, err = Canonical(input)
	} else {
		kind, kindErr := ParseKind(v.Kind)
		if kindErr != nil {
			t.Fatal(kindErr)
		}
		_, err = OfEntry(kind, input, nil)
	}
	if want := reasons[v.Reason]; want == nil || !errors.Is(err, want) {
		t.Errorf("refused %q: %v, want %s", v.Name, err, v.Reason)
	}
}
