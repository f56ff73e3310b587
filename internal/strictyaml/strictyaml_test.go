package strictyaml

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/go-cmp/cmp"
)

type route struct {
	Alias string            `json:"alias"`
	Port  int               `json:"port"`
	Small uint8             `json:"small"`
	Ratio float64           `json:"ratio"`
	On    bool              `json:"on"`
	Wait  time.Duration     `json:"wait"`
	Args  []string          `json:"args"`
	Env   map[string]string `json:"env"`
}

type config struct {
	Name    string `json:"name"`
	Limit   *int   `json:"limit"`
	Gateway struct {
		Addr   string  `json:"addr"`
		Routes []route `json:"routes"`
	} `json:"gateway"`
}

func defaults() config {
	c := config{Name: "default"}
	c.Gateway.Addr = "127.0.0.1:8471"
	return c
}

func TestUnmarshal(t *testing.T) {
	full := defaults()
	full.Name = "a\nb\n"
	limit := 3
	full.Limit = &limit
	full.Gateway.Routes = []route{
		{Alias: "files", Port: 1, Small: 255, Ratio: 0.5, On: true, Wait: 90 * time.Second, Args: []string{"-v", "12"}, Env: map[string]string{"A": "b", "1": "c"}},
		{Alias: "no: comment"},
	}
	for name, tt := range map[string]struct {
		yaml string
		want config
	}{
		"empty":              {"", defaults()},
		"comments only":      {"# nothing\n", defaults()},
		"null":               {"---\n", defaults()},
		"keys without value": {"name:\nlimit: ~\ngateway:\n  # addr: elsewhere\n", defaults()},
		"full": {`
# a comment
name: |
  a
  b
limit: 3
gateway:
  routes:
  - alias: files   # another
    port: 1
    small: 255
    ratio: 0.5
    on: true
    wait: 1m30s
    args: ["-v", "12"]
    env: {A: b, "1": c}
  - {alias: "no: comment"}
`, full},
	} {
		t.Run(name, func(t *testing.T) {
			got := defaults()
			if err := Unmarshal([]byte(tt.yaml), &got); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestMistakesNameLineAndKey(t *testing.T) {
	for yaml, want := range map[string]string{
		"nmae: x":              "line 1: nmae: unknown key",
		"nmae:":                "line 1: nmae: unknown key",
		"Name: x":              "line 1: Name: unknown key",
		"name: a\nname: b":     "line 2: name: duplicate key",
		"name: a\n\"name\": b": "line 2: name: duplicate key",
		"gateway:\n  routes:\n  - alias: a\n    prot: 1":    "line 4: gateway.routes[0].prot: unknown key",
		"gateway:\n  routes:\n  - env: {a: b, a: c}":        "line 3: gateway.routes[0].env.a: duplicate key",
		"gateway:\n  routes:\n  - port: \"12\"":             "line 3: gateway.routes[0].port: expected a whole number of 64 bits",
		"gateway:\n  routes:\n  - port: 1.5":                "line 3: gateway.routes[0].port: expected a whole number of 64 bits",
		"gateway:\n  routes:\n  - small: 300":               "line 3: gateway.routes[0].small: expected a whole number of 8 bits, not negative",
		"gateway:\n  routes:\n  - small: -1":                "line 3: gateway.routes[0].small: expected a whole number of 8 bits, not negative",
		"gateway:\n  routes:\n  - on: yes":                  "line 3: gateway.routes[0].on: expected true or false",
		"gateway:\n  routes:\n  - wait: 5":                  `line 3: gateway.routes[0].wait: expected a duration such as "30s"`,
		"gateway:\n  routes:\n  - wait: hunter2":            `line 3: gateway.routes[0].wait: expected a duration such as "30s"`,
		"gateway:\n  routes:\n  - args: x":                  "line 3: gateway.routes[0].args: expected a list",
		"gateway:\n  routes:\n  - args:\n    - a\n    - 12": "line 5: gateway.routes[0].args[1]: expected text",
		"gateway:\n  routes:\n  - args:\n    - a\n    -":    "line 5: gateway.routes[0].args[1]: empty element",
		"gateway:\n  routes:\n  - ratio: .inf":              "line 3: gateway.routes[0].ratio: not allowed in configuration",
		"gateway:\n  routes:\n  - ratio: hunter2":           "line 3: gateway.routes[0].ratio: expected a number",
		"limit: 0x10":                  "line 1: limit: write numbers in plain decimal, or quote text",
		"limit: 1_000":                 "line 1: limit: write numbers in plain decimal, or quote text",
		"limit: 010":                   "line 1: limit: write numbers in plain decimal, or quote text",
		"limit: 99999999999999999999":  "line 1: limit: expected a whole number of 64 bits",
		"name: 1.10":                   "line 1: name: expected text",
		"name: [a]":                    "line 1: name: expected text",
		"gateway: 5":                   "line 1: gateway: expected keys and values",
		"[]":                           "line 1: expected keys and values",
		"hunter2":                      "line 1: expected keys and values",
		"1: 2":                         "line 1: keys must be text; quote this one",
		"true: 2":                      "line 1: keys must be text; quote this one",
		"? [a]\n: b":                   "line 2: not valid YAML",
		"name: &x hunter2":             "line 1: anchors are not allowed",
		"name: *x":                     "line 1: aliases are not allowed",
		"gateway:\n  <<: {addr: a}":    "line 2: merge keys are not allowed",
		"name: !!binary aGk=":          "line 1: tags are not allowed",
		"%YAML 1.2\n---\nname: x":      "line 1: directives are not allowed",
		"name: a\n---\nname: b":        "line 3: more than one document",
		"name: a\n...\nname: b":        "line 3: more than one document",
		"name: \"hunter2":              "line 1: not valid YAML",
		"gateway:\n\taddr: hunter2":    "line 2: not valid YAML",
		"name: [":                      "line 1: not valid YAML",
		strings.Repeat("[", 100_000):   "line 1: nested more than 32 deep",
		strings.Repeat("{a: ", 50_000): "line 1: nested more than 32 deep",
		strings.Repeat("- ", 100_000):  "line 1: nested more than 32 deep",
		strings.Repeat("? ", 100_000):  "line 1: nested more than 32 deep",
		strings.Repeat("a: ", 100_000): "line 1: nested more than 32 deep",
	} {
		got := defaults()
		err := Unmarshal([]byte(yaml), &got)
		label := yaml[:min(len(yaml), 60)]
		if err == nil {
			t.Errorf("%q is accepted as %+v", label, got)
			continue
		}
		if err.Error() != want || !errors.Is(err, ErrInvalid) {
			t.Errorf("%q: %q, want %q", label, err, want)
		}
		if diff := cmp.Diff(defaults(), got); diff != "" {
			t.Errorf("%q changed the value: %s", label, diff)
		}
		if strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%q: the error shows a value", label)
		}
	}
}

func TestDeepIndentation(t *testing.T) {
	var b strings.Builder
	for i := range 1000 {
		b.WriteString(strings.Repeat(" ", i) + "a:\n")
	}
	err := Unmarshal([]byte(b.String()), new(config))
	var e *Error
	if !errors.As(err, &e) || e.Problem != tooDeep {
		t.Errorf("%v", err)
	}
}

func TestBounds(t *testing.T) {
	if err := Unmarshal([]byte(strings.Repeat("#", MaxBytes+1)), new(config)); !errors.Is(err, ErrTooLarge) {
		t.Errorf("too large: %v", err)
	}
	if err := Unmarshal([]byte("name: \xff"), new(config)); !errors.Is(err, ErrInvalid) {
		t.Errorf("not UTF-8: %v", err)
	}
}

func TestAt(t *testing.T) {
	const doc = "# routes\ngateway:\n  routes:\n  - alias: a\n  - alias: b\n"
	for pointer, want := range map[jsontext.Pointer]string{
		"/gateway/routes/1/alias": "line 5: gateway.routes[1].alias: taken",
		"/gateway/routes/1/none":  "line 5: gateway.routes[1]: taken",
		"/gateway/routes":         "line 3: gateway.routes: taken",
		"/none":                   "line 2: taken",
		"":                        "line 2: taken",
	} {
		if err := At([]byte(doc), pointer, "taken"); err.Error() != want || !errors.Is(err, ErrInvalid) {
			t.Errorf("%q: %v, want %q", pointer, err, want)
		}
	}
	if err := At(nil, "/a", "missing"); err.Error() != "line 1: missing" {
		t.Errorf("%v", err)
	}
	for _, broken := range []string{"a: [", "1: b", "- - ? ["} {
		if err := At([]byte(broken), "/a", "x"); !errors.Is(err, ErrInvalid) {
			t.Errorf("%q: %v", broken, err)
		}
	}
}

func TestReadFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "bartizan.yaml")
	if err := ReadFile(path, new(config)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("absent: %v", err)
	}
	for content, want := range map[string]error{"name: x": nil, "nmae: x": ErrInvalid, strings.Repeat("\n", MaxBytes+1): ErrTooLarge} {
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		err := ReadFile(path, new(config))
		if !errors.Is(err, want) {
			t.Errorf("%v, want %v", err, want)
		}
		if err != nil && !strings.Contains(err.Error(), path) {
			t.Errorf("%q does not name the file", err)
		}
	}
}

func FuzzUnmarshal(f *testing.F) {
	for _, s := range []string{
		"name: x\nlimit: 3\n", "gateway:\n  routes:\n  - {alias: a, env: {A: b}}\n", "a: &x [*x]", "? a\n: b", "- - a\n- ? b",
		"name: |2-\n   a\n", "name: >\n  a\n\n  b\n", "\"\\u0000\": 'it''s'", "%TAG ! x\n---\n", "a:\n\t- b", "{a: [b, {c: d}]}", "--- !!map\n...\n",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		var v any
		if err := Unmarshal([]byte(s), &v); err != nil && !errors.Is(err, ErrInvalid) && !errors.Is(err, ErrTooLarge) {
			t.Fatalf("%v is none of ours", err)
		}
		got := defaults()
		if err := Unmarshal([]byte(s), &got); err != nil {
			if diff := cmp.Diff(defaults(), got); diff != "" {
				t.Fatal(diff)
			}
		}
	})
}
