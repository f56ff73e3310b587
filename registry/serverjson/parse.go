package serverjson

import (
	"maps"
	"slices"
	"strings"
)

// Parse reads a server.json. The error is a Problems with every problem found.
//
// Beyond the schema: the version must be a semantic version, so that "newest"
// has one meaning; the name's namespace must have at least two labels; unknown
// members are refused; URLs carry no user information; mcpb packages need
// fileSha256.
func Parse(raw []byte) (*Document, error) {
	members, err := decode(raw)
	if err != nil {
		return nil, err
	}
	r := &reader{}
	d := r.document(members)
	if len(r.problems) > 0 {
		return nil, r.problems
	}
	return d, nil
}

func (r *reader) document(v any) *Document {
	o, ok := r.open("", v, "$schema", "name", "title", "description", "version", "websiteUrl", "repository", "packages", "remotes", "icons", "_meta")
	if !ok {
		return nil
	}
	if s := o.text("$schema", false, 1, 255); s != "" && s != Schema {
		r.report("/$schema", "must be %s", Schema)
	}
	d := &Document{
		Name:        o.text("name", true, 3, 200),
		Title:       o.text("title", false, 1, 100),
		Description: o.text("description", true, 1, 100),
		Version:     o.text("version", true, 1, 255),
		WebsiteURL:  o.link("websiteUrl", false),
	}
	if d.Name != "" && !ValidName(d.Name) {
		r.report("/name", "must be a reverse-DNS namespace of at least two labels, one slash and a name (io.github.acme/weather)")
	}
	r.version("/version", d.Version, ValidVersion)
	if repository, present := o.members["repository"]; present {
		d.Repository = r.repository("/repository", repository)
	}
	o.each("packages", 32, func(p string, v any) { d.Packages = append(d.Packages, r.pkg(p, v)) })
	o.each("remotes", 32, func(p string, v any) { d.Remotes = append(d.Remotes, r.remote(p, v)) })
	o.each("icons", 16, r.icon)
	r.meta(o, d)
	if len(d.Packages)+len(d.Remotes) == 0 && len(r.problems) == 0 {
		r.report("", "names neither packages nor remotes: nothing could be started or reached")
	}
	return d
}

// version refuses ranges by name, since they are the usual mistake.
func (r *reader) version(pointer, s string, valid func(string) bool) {
	switch {
	case s == "" || valid(s):
	case strings.ContainsAny(s, "^~<>=*|") || strings.Contains(s, ".x") || s == "latest":
		r.report(pointer, "must be one exact version, not a range or a tag")
	default:
		r.report(pointer, "must be a semantic version (1.2.3)")
	}
}

func (r *reader) repository(pointer string, v any) *Repository {
	o, ok := r.open(pointer, v, "url", "source", "id", "subfolder")
	if !ok {
		return nil
	}
	o.text("id", false, 0, 255)
	if sub := o.text("subfolder", false, 0, 255); strings.HasPrefix(sub, "/") || slices.Contains(strings.Split(sub, "/"), "..") || strings.Contains(sub, `\`) {
		r.report(pointer+"/subfolder", "must be a clean relative path")
	}
	return &Repository{URL: o.link("url", true), Source: o.text("source", true, 1, 64)}
}

func (r *reader) pkg(pointer string, v any) Package {
	o, ok := r.open(pointer, v, "registryType", "registryBaseUrl", "identifier", "version", "fileSha256", "runtimeHint", "transport", "runtimeArguments", "packageArguments", "environmentVariables")
	if !ok {
		return Package{}
	}
	p := Package{
		RegistryType: o.oneOf("registryType", "npm", "pypi", "cargo", "oci", "nuget", "mcpb"),
		Identifier:   o.text("identifier", true, 1, 512),
		Version:      o.text("version", false, 1, 255),
		SHA256:       o.text("fileSha256", false, 64, 64),
	}
	r.version(pointer+"/version", p.Version, func(s string) bool { return !strings.ContainsAny(s, "^~<>=*| ") && s != "latest" })
	if p.SHA256 != "" && !sha256Pattern.MatchString(p.SHA256) {
		r.report(pointer+"/fileSha256", "must be 64 lower-case hexadecimal digits")
	}
	if p.RegistryType == "mcpb" && p.SHA256 == "" {
		r.report(pointer+"/fileSha256", "is required for mcpb packages")
	}
	if strings.ContainsAny(p.Identifier, " \t\r\n\\") || strings.HasPrefix(p.Identifier, "-") || slices.Contains(strings.Split(p.Identifier, "/"), "..") {
		r.report(pointer+"/identifier", "must be a package name or URL")
	}
	o.link("registryBaseUrl", false)
	o.text("runtimeHint", false, 0, 64)
	if t, present := o.members["transport"]; present {
		p.Transport = r.transport(pointer+"/transport", t)
	} else {
		r.report(pointer+"/transport", "is required")
	}
	for _, key := range []string{"runtimeArguments", "packageArguments"} {
		o.each(key, 128, func(at string, v any) { p.Arguments = append(p.Arguments, r.argument(at, v)) })
	}
	o.each("environmentVariables", 128, func(at string, v any) {
		p.Environment = append(p.Environment, r.named(at, v, envPattern.MatchString, "an environment variable name"))
	})
	return p
}

func (r *reader) transport(pointer string, v any) string {
	o, ok := r.open(pointer, v, "type", "url", "headers")
	if !ok {
		return ""
	}
	kind := o.oneOf("type", "stdio", TypeHTTP, TypeSSE)
	if kind != "stdio" {
		r.template(o)
	}
	o.each("headers", 64, func(at string, v any) { r.named(at, v, headerPattern.MatchString, "a header name") })
	return kind
}

func (r *reader) remote(pointer string, v any) Remote {
	o, ok := r.open(pointer, v, "type", "url", "headers", "variables")
	if !ok {
		return Remote{}
	}
	remote := Remote{Type: o.oneOf("type", TypeHTTP, TypeSSE), URL: r.template(o)}
	o.each("headers", 64, func(at string, v any) {
		remote.Headers = append(remote.Headers, r.named(at, v, headerPattern.MatchString, "a header name"))
	})
	r.variables(o)
	return remote
}

// template reads a URL that may hold {variables}.
func (r *reader) template(o object) string {
	s := o.text("url", true, 1, 2048)
	if s != "" && (!urlTemplate.MatchString(s) || !strings.Contains(s, "{") && !absoluteURL(s)) {
		r.report(o.pointer+"/url", "must be an http or https URL, or a template of one")
	}
	return s
}

var inputMembers = []string{"description", "isRequired", "format", "value", "isSecret", "default", "placeholder", "choices", "variables"}

// input reads what environment variables, headers and arguments share.
func (r *reader) input(o object) Input {
	o.text("description", false, 0, 4096)
	o.text("placeholder", false, 0, 1024)
	o.flag("isRequired")
	if f := o.text("format", false, 0, 16); f != "" && !slices.Contains([]string{"string", "number", "boolean", "filepath"}, f) {
		r.report(o.pointer+"/format", "must be one of string, number, boolean, filepath")
	}
	o.each("choices", 256, func(at string, v any) {
		if _, isString := v.(string); !isString {
			r.report(at, "must be a string")
		}
	})
	r.variables(o)
	return Input{Value: o.text("value", false, 0, 4096), Default: o.text("default", false, 0, 4096), Secret: o.flag("isSecret")}
}

func (r *reader) variables(o object) {
	v, present := o.members["variables"]
	if !present {
		return
	}
	all, isObject := v.(map[string]any)
	if !isObject {
		r.report(o.pointer+"/variables", "must be an object")
		return
	}
	for _, name := range slices.Sorted(maps.Keys(all)) {
		// A variable's own input has no variables, so this ends.
		if inner, ok := r.open(child(o.pointer+"/variables", name), all[name], inputMembers[:len(inputMembers)-1]...); ok {
			r.input(inner)
		}
	}
}

func (r *reader) named(pointer string, v any, valid func(string) bool, what string) Input {
	o, ok := r.open(pointer, v, append([]string{"name"}, inputMembers...)...)
	if !ok {
		return Input{}
	}
	in := r.input(o)
	in.Name = o.text("name", true, 1, 128)
	if in.Name != "" && !valid(in.Name) {
		r.report(pointer+"/name", "must be %s", what)
	}
	return in
}

func (r *reader) argument(pointer string, v any) Input {
	o, ok := r.open(pointer, v, append([]string{"type", "name", "valueHint", "isRepeated"}, inputMembers...)...)
	if !ok {
		return Input{}
	}
	in := r.input(o)
	o.flag("isRepeated")
	hint := o.text("valueHint", false, 0, 255)
	in.Name = o.text("name", false, 0, 255)
	switch o.oneOf("type", "positional", "named") {
	case "named":
		if in.Name == "" {
			r.report(pointer+"/name", "is required for a named argument")
		}
	case "positional":
		if _, hasValue := o.members["value"]; hint == "" && !hasValue {
			r.report(pointer, "a positional argument needs value or valueHint")
		}
	}
	return in
}

func (r *reader) icon(pointer string, v any) {
	o, ok := r.open(pointer, v, "src", "mimeType", "sizes", "theme")
	if !ok {
		return
	}
	if src := o.link("src", true); src != "" && !strings.HasPrefix(src, "https://") {
		r.report(pointer+"/src", "must be an https URL")
	}
	o.text("mimeType", false, 0, 64)
	o.text("theme", false, 0, 16)
	o.each("sizes", 16, func(at string, v any) {
		if _, isString := v.(string); !isString {
			r.report(at, "must be a string")
		}
	})
}
