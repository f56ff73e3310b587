package resolve

import (
	"fmt"
	"path"
	"regexp"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/bartizan-mcp/bartizan/sbom/lockyaml"
	"github.com/bartizan-mcp/bartizan/sbom/npm"
)

// keys of a package.json that say what is asked for. Scripts, configuration and
// the client to download are not among them.
var manifestKeys = []string{
	"name", "version", "license", "private", "dependencies", "devDependencies", "optionalDependencies", "peerDependencies",
	"peerDependenciesMeta", "dependenciesMeta", "bundleDependencies", "bundledDependencies", "overrides", "resolutions",
	"workspaces", "engines", "os", "cpu", "libc", "bin",
}

// specified are the keys whose values are specifiers, by name.
var specified = []string{"dependencies", "devDependencies", "optionalDependencies", "peerDependencies", "overrides", "resolutions"}

// reduce is a package.json without what a client could be misled by, and the
// folders of the project that it asks for. at is where it stands in the project,
// manifests where others do.
func reduce(b []byte, at string, manifests map[string]bool) (reduced []byte, folders []string, err error) {
	if _, err := npm.ParseManifest(b); err != nil {
		return nil, nil, fmt.Errorf("%w: %w", ErrRefused, err)
	}
	var all, out = map[string]jsontext.Value{}, map[string]jsontext.Value{}
	if err := json.Unmarshal(trimBOM(b), &all); err != nil {
		return nil, nil, fmt.Errorf("%w: not a package.json", ErrRefused)
	}
	for _, key := range manifestKeys {
		if v, ok := all[key]; ok {
			out[key] = v
		}
	}
	c := checker{at: at, manifests: manifests}
	for _, key := range specified {
		if err := c.all(out[key], 0); err != nil {
			return nil, nil, fmt.Errorf("%s: %w", key, err)
		}
	}
	// pnpm keeps its overrides in a corner of its own.
	var corner struct {
		Overrides jsontext.Value `json:"overrides,omitzero"`
	}
	if v, ok := all["pnpm"]; ok && json.Unmarshal(v, &corner) == nil && len(corner.Overrides) > 0 {
		if err := c.all(corner.Overrides, 0); err != nil {
			return nil, nil, fmt.Errorf("pnpm.overrides: %w", err)
		}
		if out["pnpm"], err = json.Marshal(corner); err != nil {
			return nil, nil, err
		}
	}
	reduced, err = json.Marshal(out, json.Deterministic(true), jsontext.WithIndent("  "))
	return reduced, c.folders, err
}

func trimBOM(b []byte) []byte { return []byte(strings.TrimPrefix(string(b), "\ufeff")) }

// checker goes through the specifiers of one package.json.
type checker struct {
	at        string
	manifests map[string]bool
	folders   []string
}

func (c *checker) all(v jsontext.Value, depth int) error {
	if len(v) == 0 || v.Kind() == 'n' {
		return nil
	}
	var names map[string]jsontext.Value
	if depth > 8 || v.Kind() != '{' || json.Unmarshal(v, &names) != nil {
		return fmt.Errorf("%w: not names and specifiers", ErrRefused)
	}
	for name, v := range names {
		if v.Kind() == '{' { // overrides nest
			if err := c.all(v, depth+1); err != nil {
				return err
			}
			continue
		}
		var spec string
		if err := json.Unmarshal(v, &spec); err != nil {
			return fmt.Errorf("%w: %.100q is no text", ErrRefused, name)
		}
		if err := c.one(name, spec); err != nil {
			return err
		}
	}
	return nil
}

// one lets through what a registry answers, and folders of the project itself.
// Packages from git are built by scripts of theirs; addresses and folders
// elsewhere are not the publisher's to hand out by way of ours.
func (c *checker) one(name, spec string) error {
	protocol, rest, ok := strings.Cut(spec, ":")
	folder := path.Join(c.at, rest)
	switch {
	case !ok && (plainRange(spec) || strings.HasPrefix(spec, "$") && alias.MatchString(spec[1:])): // $name: as the project asks
		return nil
	case ok && protocol == "npm" && alias.MatchString(rest):
		return nil
	case ok && (protocol == "workspace" || protocol == "catalog") && plainRange(rest):
		return nil
	case ok && (protocol == "file" || protocol == "link") && !path.IsAbs(rest) && !strings.Contains(rest, `\`) && c.manifests[folder]:
		c.folders = append(c.folders, folder)
		return nil
	}
	return fmt.Errorf("%w: %.100q is asked for as %.200q; only packages of a registry and folders of the project are resolved", ErrRefused, name, spec)
}

// alias is a package and, if any, a range: @s/a@^1.0.0.
var alias = regexp.MustCompile(`^(@[0-9A-Za-z._~-]+/)?[0-9A-Za-z_~-][0-9A-Za-z._~-]*(@[^/\\:]*)?$`)

// plainRange is a range or tag, and nothing that a client takes for a path.
func plainRange(s string) bool {
	return len(s) <= 512 && !strings.ContainsAny(s, `/\:`) && !strings.HasPrefix(s, ".") && !strings.HasPrefix(s, "~/") &&
		!strings.HasSuffix(s, ".tgz") && !strings.HasSuffix(s, ".tar.gz") && !strings.HasSuffix(s, ".tar")
}

// packageManager is the client that a package.json names, without its version.
func packageManager(b []byte) string {
	var m struct {
		PackageManager jsontext.Value `json:"packageManager"`
	}
	var s string
	if json.Unmarshal(trimBOM(b), &m) != nil || json.Unmarshal(m.PackageManager, &s) != nil {
		return ""
	}
	name, _, _ := strings.Cut(s, "@")
	return name
}

// reduceWorkspace keeps of a pnpm-workspace.yaml what names packages. Its other
// settings choose shells, hooks and registries. JSON is YAML.
func reduceWorkspace(b []byte) ([]byte, error) {
	doc, err := lockyaml.Parse(b)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrRefused, err)
	}
	out := map[string]any{"packages": doc.Get("packages").List()}
	c := checker{at: "."}
	ranges := func(n lockyaml.Node) (map[string]string, error) {
		m := map[string]string{}
		for name, v := range n.Entries() {
			m[name] = v.Text()
			if err := c.one(name, v.Text()); err != nil {
				return nil, err
			}
		}
		return m, nil
	}
	catalogs := map[string]any{}
	for name, n := range doc.Get("catalogs").Entries() {
		if catalogs[name], err = ranges(n); err != nil {
			return nil, err
		}
	}
	out["catalogs"] = catalogs
	for _, key := range []string{"catalog", "overrides"} {
		if out[key], err = ranges(doc.Get(key)); err != nil {
			return nil, err
		}
	}
	return json.Marshal(out, json.Deterministic(true), jsontext.WithIndent("  "))
}
