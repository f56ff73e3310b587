package secrets

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"crypto/x509"
	"encoding/binary"
	"encoding/hex"
	"encoding/pem"
	"hash/crc32"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"unicode/utf16"

	"github.com/google/go-cmp/cmp"

	"github.com/bartizan-mcp/bartizan/engine"
	"github.com/bartizan-mcp/bartizan/internal/admission"
	"github.com/bartizan-mcp/bartizan/plugins"
	"github.com/bartizan-mcp/bartizan/registry/serverjson"
)

// load compiles the scanner once for all tests.
var load = sync.OnceValues(func() (*Finder, error) {
	modules, err := plugins.Modules()
	if err != nil {
		return nil, err
	}
	e, err := engine.New(context.Background(), engine.Config{})
	if err != nil {
		return nil, err
	}
	s, err := e.Load(context.Background(), modules[Scanner], engine.Options{})
	if err != nil {
		return nil, err
	}
	return New(s, []byte("a key of these tests"))
})

func finder(t *testing.T) *Finder {
	t.Helper()
	if _, err := plugins.Modules(); err != nil {
		t.Skip(err)
	}
	f, err := load()
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// random is text that looks so, the same for one seed.
func random(seed string) string {
	sum := sha256.Sum256([]byte(seed))
	return hex.EncodeToString(sum[:])
}

// Credentials are made here, so that none stands in this file.
var (
	cloudToken  = "dop_v1_" + random("cloud")
	githubToken = checked("ghp_", random("github")[:30])
	privateKey  = func() string {
		der, err := x509.MarshalPKCS8PrivateKey(ed25519.NewKeyFromSeed([]byte(random("seed")[:32])))
		if err != nil {
			panic(err)
		}
		return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
	}()
)

// checked adds the checksum that GitHub's tokens end with.
func checked(mark, body string) string {
	const base62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	sum, tail := crc32.ChecksumIEEE([]byte(body)), make([]byte, 6)
	for i := len(tail) - 1; i >= 0; i-- {
		tail[i] = base62[sum%62]
		sum /= 62
	}
	return mark + body + string(tail)
}

func tree(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, body := range files {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(body), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// found are the hits of an artifact, those that count with an exclamation mark.
func found(t *testing.T, artifact string) []string {
	t.Helper()
	r, err := finder(t).Artifact(t.Context(), artifact)
	if err != nil {
		t.Fatal(err)
	}
	if r.Unexamined != "" {
		t.Errorf("unexamined: %s", r.Unexamined)
	}
	out := []string{}
	for _, h := range r.Hits {
		s := h.String()
		if h.Counts {
			s = "! " + s
		}
		out = append(out, s)
	}
	slices.Sort(out)
	return out
}

func TestArtifact(t *testing.T) {
	utf16le := func(s string) string {
		b := []byte{0xff, 0xfe}
		for _, c := range utf16.Encode([]rune(s)) {
			b = binary.LittleEndian.AppendUint16(b, c)
		}
		return string(b)
	}
	for name, tc := range map[string]struct {
		file, body string
		want       []string
	}{
		"token in code":               {"src/index.js", "// a\nconst t = '" + cloudToken + "'\n", []string{"! src/index.js line 2 (exfil.provider-token)"}},
		"key in a file":               {"certs/server.key", privateKey, []string{"! certs/server.key line 1 (exfil.private-key)"}},
		"key in a string":             {"a.py", "x = 1\nKEY = \"" + strings.ReplaceAll(privateKey, "\n", `\n`) + "\"\n", []string{"! a.py line 2 (exfil.private-key)"}},
		"password in settings":        {"config/prod.json", "{\n \"host\": \"db\",\n \"password\": \"vK9!mQ2x7Lp4\"\n}", []string{"! config/prod.json line 3 (exfil.assigned-secret)"}},
		"password in an environment":  {".env", "PORT=80\nDB_PASSWORD=vK9mQ2x7Lp4zR8\n", []string{"! .env line 2 (exfil.assigned-secret)"}},
		"UTF-16":                      {".env", utf16le("PORT=80\r\nDB_PASSWORD=vK9mQ2x7Lp4zR8\r\n"), []string{"! .env line 2 (exfil.assigned-secret)"}},
		"password in code":            {"index.js", "const password = \"vK9!mQ2x7Lp4\"", []string{"index.js line 1 (exfil.assigned-secret)"}},
		"connection string":           {"settings.toml", "db = \"postgres://app:vK9mQ2x7Lp4@db.acme.example/x\"", []string{"! settings.toml line 1 (exfil.url-password)"}},
		"token in a test":             {"test/client.test.js", cloudToken, []string{"test/client.test.js line 1 (exfil.provider-token)"}},
		"key of a test":               {"internal/testdata/k.pem", privateKey, []string{"internal/testdata/k.pem line 1 (exfil.private-key)"}},
		"token in a dependency":       {"node_modules/x/index.js", cloudToken, []string{"node_modules/x/index.js line 1 (exfil.provider-token)"}},
		"real token in a test":        {"tests/a.py", githubToken, []string{"! tests/a.py line 1 (exfil.provider-token)"}},
		"real token in a dependency":  {"vendor/a/b.go", githubToken, []string{"! vendor/a/b.go line 1 (exfil.provider-token)"}},
		"binary":                      {"bin/server", "\x7fELF\x00\x00\x01" + cloudToken + "\x00rest", []string{"! bin/server byte 7 (exfil.provider-token)"}},
		"documented placeholder":      {".env.example", "API_KEY=your-api-key-here\nGITHUB_TOKEN=ghp_" + strings.Repeat("x", 36), []string{}},
		"placeholder in settings":     {"config.yaml", "token: ghp_" + strings.Repeat("x", 36) + "\npassword: changeme\nsecret: ${SECRET}\n", []string{}},
		"published example":           {"a.js", "AKIAIOSFODNN7" + "EXAMPLE", []string{}},
		"program that reads keys":     {"a.go", `if strings.HasPrefix(s, "-----BEGIN PRIVATE KEY-----") && strings.HasSuffix(s, "-----END PRIVATE KEY-----") { return parsePrivateKeyOfThatKindOrGiveUpAltogether(s) }`, []string{}},
		"strings of such a program":   {"server", "\x00-----BEGIN RSA PRIVATE KEY-----DEK-InfoAES-256-CBCinvalidpasswordunknownblocktypecannotparsecertificateofthisform\x00", []string{}},
		"public key":                  {"pub.pem", "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEA" + random("pub")[:44] + "\n-----END PUBLIC KEY-----\n", []string{}},
		"integrity of a lockfile":     {"package-lock.json", `{"packages":{"node_modules/token":{"integrity":"sha512-` + random("a") + `==","resolved":"https://r.example/token-1.0.0.tgz"}}}`, []string{}},
		"code about passwords":        {"index.ts", "export function setPassword(password: string, confirmPassword: string) { this.password = password }\nconst tokenType = 'Bearer'\n", []string{}},
		"secret taken from elsewhere": {"server.py", "token = os.environ['GITHUB_TOKEN']\nsecret = get_secret('projects/acme/secrets/db')\n", []string{}},
	} {
		t.Run(name, func(t *testing.T) {
			if d := cmp.Diff(tc.want, found(t, tree(t, map[string]string{tc.file: tc.body}))); d != "" {
				t.Error(d)
			}
		})
	}
}

// Whatever lies where a chunk ends is seen once, at its true place.
func TestChunks(t *testing.T) {
	line := strings.Repeat("x ", 40) + "\n"
	for _, at := range []int{chunkBytes - 10, chunkBytes - overlap/2 - 20, chunkBytes, chunkBytes + overlap - 5, 2 * chunkBytes} {
		lines := at / len(line)
		body := strings.Repeat(line, lines) + strings.Repeat(" ", at%len(line)) + cloudToken + "\n" + strings.Repeat(line, 2000)
		r, err := finder(t).Artifact(t.Context(), tree(t, map[string]string{"a.txt": body}))
		if err != nil {
			t.Fatal(err)
		}
		want := []Hit{{Place: PlaceOwn, Where: "a.txt", Line: lines + 1, Rule: ruleToken, Mark: finder(t).mark(cloudToken), Counts: true}}
		if d := cmp.Diff(want, r.Hits); d != "" || r.Files != 1 || r.Bytes != int64(len(body)) {
			t.Errorf("at %d: %s %+v", at, d, r)
		}
	}
}

// An artifact of many words is examined for the forms of credentials to its end.
func TestWordsAreBounded(t *testing.T) {
	words := strings.Repeat("the password is asked for, and the token is checked;\n"+strings.Repeat("y", 400)+"\n", 6000)
	r, err := finder(t).Artifact(t.Context(), tree(t, map[string]string{"bundle.js": words + cloudToken}))
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Counting()) != 1 || r.Bounded == 0 || r.Unexamined != "" {
		t.Errorf("%d hits, %d bounded, %q", len(r.Counting()), r.Bounded, r.Unexamined)
	}
}

// More places that look like credentials than are examined is no clean answer.
func TestFloodIsUnexamined(t *testing.T) {
	flood := strings.Repeat("dop_v1_"+strings.Repeat("a", 64)+" ", maxMarks/2) + cloudToken
	r, err := finder(t).Artifact(t.Context(), tree(t, map[string]string{"a.txt": strings.Repeat(flood, 2)}))
	if err != nil {
		t.Fatal(err)
	}
	if r.Unexamined == "" && len(r.Counting()) == 0 {
		t.Error("a flood of marks hides a token")
	}
}

func TestArchives(t *testing.T) {
	files := map[string]string{"package/a.js": cloudToken, "package/b/.npmrc": "//r.example/:_authToken=" + githubToken}
	var out bytes.Buffer
	zw := gzip.NewWriter(&out)
	tw := tar.NewWriter(zw)
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if err := tw.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: int64(len(files[name]))}); err != nil {
			t.Fatal(err)
		}
		if _, err := tw.Write([]byte(files[name])); err != nil {
			t.Fatal(err)
		}
	}
	if err := tw.Close(); err != nil {
		t.Fatal(err)
	}
	if err := zw.Close(); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "a.tgz")
	if err := os.WriteFile(file, out.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	want := []string{"! package/a.js line 1 (exfil.provider-token)", "! package/b/.npmrc line 1 (exfil.provider-token)"}
	if d := cmp.Diff(want, found(t, file)); d != "" {
		t.Error(d)
	}
}

// No report holds what it reports, nor anything to try guesses against.
func TestReportHoldsNoSecret(t *testing.T) {
	f := finder(t)
	r, err := f.Artifact(t.Context(), tree(t, map[string]string{"a\u202e.env": cloudToken, "k.pem": privateKey}))
	if err != nil {
		t.Fatal(err)
	}
	var all strings.Builder
	for _, h := range r.Hits {
		all.WriteString(h.String() + h.Mark)
	}
	sum := sha256.Sum256([]byte(cloudToken))
	for _, secret := range []string{cloudToken[7:20], privateKey[30:50], hex.EncodeToString(sum[:6]), "\u202e"} {
		if strings.Contains(all.String(), secret) {
			t.Errorf("%q is in %s", secret, &all)
		}
	}
	other := *f
	other.key = []byte("another registry's")
	if other.mark(cloudToken) == f.mark(cloudToken) {
		t.Error("the mark does not depend on the key")
	}
}

func TestSettings(t *testing.T) {
	for name, tc := range map[string]struct {
		server string
		launch admission.Launch
		want   []string
	}{
		"honest":            {`{"packages":[{"environmentVariables":[{"name":"API_KEY","isSecret":true,"description":"Your API key"}]}]}`, admission.Launch{Command: []string{"node", "index.js", "--port=80"}}, nil},
		"token in argv":     {`{}`, admission.Launch{Command: []string{"x", cloudToken}}, []string{"launch argument 1 (exfil.provider-token)"}},
		"password flag":     {`{}`, admission.Launch{Command: []string{"x", "--api-key=abcdef123"}}, []string{"launch argument 1 (secret-argument)"}},
		"password behind":   {`{}`, admission.Launch{Command: []string{"x", "--password", "hunter2"}}, []string{"launch argument 2 (secret-argument)"}},
		"template flag":     {`{}`, admission.Launch{Command: []string{"x", "--api-key={key}", "--token", "$TOKEN", "--secret", "--other"}}, nil},
		"bound variable":    {`{}`, admission.Launch{Env: map[string]string{"DB_PASSWORD": "vK9!mQ2x7Lp4", "PORT": "80"}}, []string{"launch variable DB_PASSWORD (exfil.assigned-secret)"}},
		"file of a secret":  {`{}`, admission.Launch{Command: []string{"x", "--token=/run/secrets/token"}}, nil},
		"URL":               {`{}`, admission.Launch{URL: "https://a.example/mcp?key=" + cloudToken}, []string{"launch URL (exfil.provider-token)"}},
		"default of secret": {`{"packages":[{"environmentVariables":[{"name":"X","isSecret":true,"default":"hunter2"}]}]}`, admission.Launch{}, []string{"server.json package 0 environment variable 0 (secret-value)"}},
		"value by its name": {`{"packages":[{"environmentVariables":[{"name":"DB_PASSWORD","value":"vK9!mQ2x7Lp4"}]}]}`, admission.Launch{}, []string{"server.json /packages/0/environmentVariables/0/value (exfil.assigned-secret)"}},
		"argument":          {`{"packages":[{"packageArguments":[{"name":"--token","value":"hunter22"}]}]}`, admission.Launch{}, []string{"server.json package 0 argument 0 (secret-argument)"}},
		"header":            {`{"remotes":[{"headers":[{"name":"Authorization","value":"Bearer ` + cloudToken + `"}]}]}`, admission.Launch{}, []string{"server.json /remotes/0/headers/0/value (exfil.provider-token)"}},
		"anywhere":          {`{"_meta":{"x":["` + githubToken + `"]}}`, admission.Launch{}, []string{"server.json /_meta/x/0 (exfil.provider-token)"}},
	} {
		t.Run(name, func(t *testing.T) {
			r := &Report{}
			if err := finder(t).Settings(t.Context(), r, Published{ServerJSON: []byte(tc.server), Document: document(t, tc.server), Launch: tc.launch}); err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, h := range r.Counting() {
				got = append(got, h.String())
			}
			if d := cmp.Diff(tc.want, got); d != "" {
				t.Error(d)
			}
		})
	}
}

// Without a scanner the plainest secrets are found, and nothing is called clean.
func TestWithoutScanner(t *testing.T) {
	r := &Report{}
	var none *Finder
	err := none.Settings(t.Context(), r, Published{ServerJSON: []byte(`{}`), Document: &serverjson.Document{}, Launch: admission.Launch{Command: []string{"x", "--password=hunter2"}}})
	if err != nil || len(r.Counting()) != 1 || r.Unexamined == "" {
		t.Errorf("%v %+v", err, r)
	}
}

func TestNewRefusesAnotherScanner(t *testing.T) {
	if _, err := New(new(engine.Scanner), nil); err == nil {
		t.Error("a scanner of another name is taken")
	}
}

func TestKey(t *testing.T) {
	file := filepath.Join(t.TempDir(), "k")
	first, err := LoadKey(file)
	if err != nil {
		t.Fatal(err)
	}
	again, err := LoadKey(file)
	if err != nil || !bytes.Equal(first, again) || len(first) != keyBytes {
		t.Errorf("%v %x %x", err, first, again)
	}
	if err := os.WriteFile(file, first[:5], 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := LoadKey(file); err == nil {
		t.Error("a short key is taken")
	}
}

// document makes of a fragment the document that Settings reads beside it.
func document(t *testing.T, fragment string) *serverjson.Document {
	t.Helper()
	d := &serverjson.Document{}
	switch {
	case strings.Contains(fragment, `"isSecret":true,"default"`):
		d.Packages = []serverjson.Package{{Environment: []serverjson.Input{{Name: "X", Default: "hunter2", Secret: true}}}}
	case strings.Contains(fragment, "packageArguments"):
		d.Packages = []serverjson.Package{{Arguments: []serverjson.Input{{Name: "--token", Value: "hunter22"}}}}
	}
	return d
}

func FuzzArtifact(f *testing.F) {
	f.Add("index.js", []byte(cloudToken))
	f.Add(".env", []byte("\xff\xfeP\x00"))
	f.Add("x", []byte("\x00-----BEGIN PRIVATE KEY-----"+privateKey))
	f.Fuzz(func(t *testing.T, name string, body []byte) {
		r := &Report{}
		p := pass{finder: finder(t), report: r, budget: &budget{proofs: proofBytes, words: wordBytes}, file: name, place: placeOf(name), words: true, line: 1}
		half := len(body) / 2
		for i, part := range [][]byte{body[:half], body} {
			if err := p.chunk(t.Context(), part, i == 1); err != nil {
				t.Fatal(err)
			}
		}
		for _, h := range r.Hits {
			if h.Line < 0 || h.Line > bytes.Count(body, []byte{'\n'})+1 || h.At < 0 || h.At > int64(len(body)) {
				t.Errorf("%+v is not in %d bytes", h, len(body))
			}
		}
	})
}
