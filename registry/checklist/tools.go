package checklist

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/bartizan-mcp/bartizan/internal/admission"
	"github.com/bartizan-mcp/bartizan/internal/listing"
)

var toolRules = []rule{
	{"TOOL-1", "Names are descriptive (none just says execute or run)", descriptiveNames},
	{"TOOL-2", "No hidden or deceptive characters in the listing", noHiddenCharacters},
	{"TOOL-3", "Every tool is described", everyToolDescribed},
	{"TOOL-4", "Every parameter is documented", everyParameterDocumented},
	{"TOOL-5", "Every tool declares what it returns (outputSchema)", returnsDeclared},
	{CodeScan, "The automated scan of the listing is clean", scanClean},
	{"TOOL-7", "Annotations do not contradict names", annotationsConsistent},
	{CodeShadowing, "No tool name shadows another approved server's", noShadowing},
	{"TOOL-9", "The listing is unambiguous and self-contained", selfContained},
	{"TOOL-10", "Every description was read by a person", nil},
	{"TOOL-11", "Descriptions match what the tools do", nil},
	{"TOOL-12", "Started in isolation, it leaked no planted secret and broke out of nothing", keepsSecrets},
	{"TOOL-13", "Started in isolation, it is the same under all circumstances", sameEverywhere},
}

// tool is what the rules read of a tool; the raw object stays the truth.
type tool struct {
	era         string
	Name        string         `json:"name"`
	Description string         `json:"description"`
	Input       schema         `json:"inputSchema"`
	Output      jsontext.Value `json:"outputSchema"`
	Annotations struct {
		ReadOnly    *bool `json:"readOnlyHint"`
		Destructive *bool `json:"destructiveHint"`
	} `json:"annotations"`
}

type schema struct {
	Properties map[string]jsontext.Value `json:"properties"`
}

// tools reads the tools of every era. One that does not have the protocol's
// shape is returned by name in broken: the rules then fail rather than guess.
func (f *Facts) tools() (read []tool, broken []string) {
	for _, l := range f.Listings {
		for i, raw := range l.Tools {
			t := tool{era: string(l.Era)}
			if err := json.Unmarshal(raw, &t); err != nil {
				broken = append(broken, fmt.Sprintf("%s: /tools/%d", l.Era, i))
				continue
			}
			read = append(read, t)
		}
	}
	return read, broken
}

// eachTool collects what complain says about every tool.
func eachTool(f *Facts, complain func(tool) []string, good, bad string) outcome {
	read, broken := f.tools()
	found := slices.Clone(broken)
	for _, t := range read {
		for _, c := range complain(t) {
			found = append(found, t.era+": "+c)
		}
	}
	if len(read)+len(broken) == 0 {
		return notNeeded("the server lists no tools")
	}
	return verdict(found, good, bad, map[string]any{"tools": len(read) + len(broken), "found": clip(found)})
}

var vagueNames = []string{"execute", "exec", "run", "do", "call", "invoke", "process", "action", "perform", "eval", "command", "shell", "tool", "function", "main", "go", "task", "handle", "start", "misc"}

func descriptiveNames(f *Facts) outcome {
	return eachTool(f, func(t tool) []string {
		if words := words(t.Name); len(words) == 0 || len(words) == 1 && (slices.Contains(vagueNames, words[0]) || len(words[0]) < 2) {
			return []string{t.Name}
		}
		return nil
	}, "no vague names", "names that say nothing")
}

func noHiddenCharacters(f *Facts) outcome {
	type place struct {
		Era       string `json:"era"`
		Pointer   string `json:"pointer"`
		Character string `json:"character"`
	}
	var found []place
	for _, l := range f.Listings {
		for pointer, text := range texts(&l) {
			if r, deceptive := admission.Deceptive(text); deceptive {
				found = append(found, place{string(l.Era), pointer, fmt.Sprintf("%U", r)})
			}
		}
	}
	slices.SortFunc(found, func(a, b place) int { return strings.Compare(a.Era+a.Pointer, b.Era+b.Pointer) })
	return verdict(found, "none", "texts with hidden characters", map[string]any{"listings": len(f.Listings), "found": clip(found)})
}

func everyToolDescribed(f *Facts) outcome {
	return eachTool(f, func(t tool) []string {
		if strings.TrimSpace(t.Description) == "" {
			return []string{t.Name}
		}
		return nil
	}, "every tool has a description", "tools without a description")
}

func everyParameterDocumented(f *Facts) outcome {
	return eachTool(f, func(t tool) []string {
		var undocumented []string
		for _, name := range slices.Sorted(maps.Keys(t.Input.Properties)) {
			var p struct {
				Title       string `json:"title"`
				Description string `json:"description"`
			}
			if err := json.Unmarshal(t.Input.Properties[name], &p); err != nil || strings.TrimSpace(p.Description) == "" {
				undocumented = append(undocumented, t.Name+"."+name)
			}
		}
		return undocumented
	}, "every parameter has a description", "parameters without a description")
}

func returnsDeclared(f *Facts) outcome {
	return eachTool(f, func(t tool) []string {
		if t.Output.Kind() != '{' {
			return []string{t.Name}
		}
		return nil
	}, "every tool has an outputSchema", "tools without an outputSchema")
}

func scanClean(f *Facts) outcome {
	if len(f.Scan.Scanners) == 0 {
		return unmeasured("this registry has no scanners loaded")
	}
	facts := map[string]any{"scanners": f.Scan.Scanners, "action": f.Scan.Action, "findings": clip(f.Scan.Findings), "failures": f.Scan.Failures, "waived": f.Scan.Waived}
	if f.Scan.Action != "allow" || len(f.Scan.Failures) > 0 {
		return fail("verdict "+f.Scan.Action, facts).on([]any{f.Scan.Findings, f.Scan.Failures})
	}
	return pass("verdict allow", facts).on([]any{})
}

var (
	writingVerbs    = []string{"create", "write", "update", "delete", "remove", "send", "insert", "drop", "edit", "modify", "move", "rename", "upload", "push", "publish", "post", "put", "patch", "set", "add", "kill", "terminate", "merge", "deploy", "pay", "transfer", "purge", "truncate"}
	destroyingVerbs = []string{"delete", "remove", "drop", "kill", "terminate", "purge", "truncate", "erase", "wipe", "destroy"}
)

func annotationsConsistent(f *Facts) outcome {
	return eachTool(f, func(t tool) []string {
		words := words(t.Name)
		if len(words) == 0 {
			return nil
		}
		verb := words[0]
		var found []string
		if t.Annotations.ReadOnly != nil && *t.Annotations.ReadOnly && slices.Contains(writingVerbs, verb) {
			found = append(found, t.Name+": readOnlyHint is true")
		}
		if t.Annotations.Destructive != nil && !*t.Annotations.Destructive && slices.Contains(destroyingVerbs, verb) {
			found = append(found, t.Name+": destructiveHint is false")
		}
		return found
	}, "no contradiction", "annotations that contradict the name")
}

func noShadowing(f *Facts) outcome {
	return verdict(f.Shadowed, "no name is taken", "names that other approved servers use", map[string]any{"found": clip(f.Shadowed)}).on(f.Shadowed)
}

func selfContained(f *Facts) outcome {
	// Duplicate keys, case variants and external references never get this
	// far: the fingerprint refuses such a listing. What can be left is two
	// entries under one name.
	return verdict(f.Held, "fingerprinted; no external references", "entries listed twice", map[string]any{"roots": f.Roots, "listedTwice": f.Held})
}

// texts yields every string of a listing, member names included, by pointer.
func texts(l *listing.Listing) map[string]string {
	out := map[string]string{}
	if l.Instructions != nil {
		out["/instructions"] = *l.Instructions
	}
	for name, raws := range map[string][]jsontext.Value{"tools": l.Tools, "prompts": l.Prompts, "resourceTemplates": l.Templates, "resources": l.Resources, "serverInfo": {l.ServerInfo}, "capabilities": {l.Capabilities}} {
		for i, raw := range raws {
			if len(raw) > 0 {
				collect(out, fmt.Sprintf("/%s/%d", name, i), raw)
			}
		}
	}
	return out
}

func collect(out map[string]string, pointer string, raw jsontext.Value) {
	var v any
	if json.Unmarshal(raw, &v) == nil {
		walk(out, pointer, v)
	}
}

func walk(out map[string]string, pointer string, v any) {
	switch v := v.(type) {
	case string:
		out[pointer] = v
	case []any:
		for i, e := range v {
			walk(out, fmt.Sprintf("%s/%d", pointer, i), e)
		}
	case map[string]any:
		for k, e := range v {
			at := pointer + "/" + strings.NewReplacer("~", "~0", "/", "~1").Replace(k)
			out[at+"#name"] = k
			walk(out, at, e)
		}
	}
}

// words splits a name at case changes and everything that is no letter or digit.
func words(name string) []string {
	var b strings.Builder
	var previous rune
	for _, r := range name {
		switch {
		case !unicode.IsLetter(r) && !unicode.IsDigit(r):
			r = ' '
		case unicode.IsUpper(r) && unicode.IsLower(previous):
			b.WriteByte(' ')
		}
		b.WriteRune(unicode.ToLower(r))
		previous = r
	}
	return strings.Fields(b.String())
}

// clip bounds evidence; what was left out is said by the counts beside it.
func clip[T any](found []T) []T { return found[:min(len(found), 200)] }
