package secrets

import (
	"context"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"

	"github.com/bartizan-mcp/bartizan/internal/admission"
	"github.com/bartizan-mcp/bartizan/registry/serverjson"
)

// Rules of this package, beside those of the scanner: they go by the place
// alone, so that the simplest of passwords is found there.
const (
	RuleDeclared = "secret-value"    // an input marked secret comes with its value
	RuleArgument = "secret-argument" // an argument named for a secret has a literal value
)

// Published is what a publication says beside its artifact.
type Published struct {
	ServerJSON []byte // parsed by serverjson before
	Document   *serverjson.Document
	Launch     admission.Launch
}

// Settings looks through server.json and the launch and adds to the report. A
// nil finder knows its own rules only, and says that the rest is unexamined.
func (f *Finder) Settings(ctx context.Context, r *Report, p Published) error {
	mark := func(s string) string {
		if f == nil {
			return ""
		}
		return f.mark(s)
	}
	for _, in := range secretInputs(p.Document) {
		r.add(Hit{Place: PlaceDescription, Where: in.where, Rule: RuleDeclared, Mark: mark(in.body), Counts: true})
	}
	for _, in := range secretArguments(p.Launch.Command) {
		r.add(Hit{Place: PlaceLaunch, Where: in.where, Rule: RuleArgument, Mark: mark(in.body), Counts: true})
	}
	for _, in := range packageArguments(p.Document) {
		r.add(Hit{Place: PlaceDescription, Where: in.where, Rule: RuleArgument, Mark: mark(in.body), Counts: true})
	}
	if f == nil {
		r.Unexamined = "no scanner for secrets is loaded"
		return nil
	}
	described, err := jsonStrings(p.ServerJSON)
	if err != nil {
		return err
	}
	if err := f.judge(ctx, r, PlaceDescription, "server.json", described); err != nil {
		return err
	}
	return f.judge(ctx, r, PlaceLaunch, "launch", launchTexts(&p))
}

// launchTexts are the launch's words one by one, and in a row: a flag and its
// value say together what neither says alone.
func launchTexts(p *Published) []text {
	var out []text
	for i, arg := range p.Launch.Command {
		out = append(out, text{where: fmt.Sprintf("launch argument %d", i), body: valid(arg)})
		if i > 0 {
			out = append(out, text{where: fmt.Sprintf("launch argument %d", i), body: valid(p.Launch.Command[i-1] + " " + arg)})
		}
	}
	out = append(out, text{where: "launch URL", body: valid(p.Launch.URL)}, text{where: "launch directory", body: valid(p.Launch.Dir)})
	for name, value := range p.Launch.Env {
		out = append(out, text{where: "launch variable " + name, body: valid(name + "=" + value)})
	}
	for _, name := range slices.Sorted(maps.Keys(p.Launch.Env)) {
		out = append(out, text{where: "launch variable " + name, body: valid(name + "=" + p.Launch.Env[name])})
	}
	return out
}

// jsonStrings are the strings of a JSON document by their pointers, each behind
// the name of its member, which may announce it.
func jsonStrings(raw []byte) ([]text, error) {
	var v any
	if err := json.Unmarshal(raw, &v); err != nil {
		return nil, fmt.Errorf("secrets: server.json: %w", err)
	}
	var out []text
	var walk func(pointer, name string, v any)
	walk = func(pointer, name string, v any) {
		switch v := v.(type) {
		case string:
			out = append(out, text{where: "server.json " + admission.Visible(pointer), body: v})
			if name != "" {
				out = append(out, text{where: "server.json " + admission.Visible(pointer), body: name + ": " + v})
			}
		case []any:
			for i, e := range v {
				walk(pointer+"/"+strconv.Itoa(i), "", e)
			}
		case map[string]any:
			named, _ := v["name"].(string)
			for key, e := range v {
				// {"name": "API_KEY", "value": …}: the name is its neighbour.
				announced := key
				if key == "value" || key == "default" {
					announced = named
				}
				walk(pointer+"/"+strings.NewReplacer("~", "~0", "/", "~1").Replace(key), announced, e)
			}
		}
	}
	walk("", "", v)
	return out, nil
}

// secretInputs are inputs that are marked secret and have a literal value.
func secretInputs(d *serverjson.Document) (out []text) {
	inputs := func(where string, list []serverjson.Input) {
		for i, in := range list {
			at := fmt.Sprintf("server.json %s %d", where, i)
			if in.Secret && in.Value != "" && !strings.Contains(in.Value, "{") {
				out = append(out, text{where: at, body: in.Value})
			}
			if in.Secret && in.Default != "" && !strings.Contains(in.Default, "{") {
				out = append(out, text{where: at, body: in.Default})
			}
		}
	}
	for i, p := range d.Packages {
		inputs(fmt.Sprintf("package %d environment variable", i), p.Environment)
		inputs(fmt.Sprintf("package %d argument", i), p.Arguments)
	}
	for i, r := range d.Remotes {
		inputs(fmt.Sprintf("remote %d header", i), r.Headers)
	}
	return out
}

// packageArguments are the arguments of packages that name a secret and give it.
func packageArguments(d *serverjson.Document) (out []text) {
	for i, p := range d.Packages {
		for j, a := range p.Arguments {
			value := a.Value
			if value == "" {
				value = a.Default
			}
			at := fmt.Sprintf("server.json package %d argument %d", i, j)
			if secretFlag.MatchString(a.Name) && literal(value) {
				out = append(out, text{where: at, body: value})
			} else if name, rest, ok := strings.Cut(value, "="); ok && secretFlag.MatchString(name) && literal(rest) {
				out = append(out, text{where: at, body: rest})
			}
		}
	}
	return out
}

var secretFlag = regexp.MustCompile(`(?i)^-{1,2}(?:[a-z0-9]+[-_])*(?:password|passwd|secret|token|api[-_]?key|access[-_]?key|secret[-_]?key)$`)

// secretArguments are --token=VALUE and --token VALUE.
func secretArguments(command []string) (out []text) {
	for i, arg := range command {
		name, value, joined := strings.Cut(arg, "=")
		if !secretFlag.MatchString(name) {
			continue
		}
		at := i
		if !joined && i+1 < len(command) {
			at, value = i+1, command[i+1]
		}
		if literal(value) {
			out = append(out, text{where: fmt.Sprintf("launch argument %d", at), body: value})
		}
	}
	return out
}

// literal reports a value that is one, and not a variable, a file or the next flag.
func literal(value string) bool {
	return len(value) >= 6 && !strings.ContainsAny(value, "{$ ") && !strings.HasPrefix(value, "-") && !strings.HasPrefix(value, "<") &&
		!strings.HasPrefix(value, "/") && !strings.HasPrefix(value, "./") && !strings.HasPrefix(value, "%")
}
