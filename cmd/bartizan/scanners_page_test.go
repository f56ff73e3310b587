//go:build !race

package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestScannersPage does what docs/scanners.md says, in its order: commands of
// `console` blocks are run, what stands below them has to be printed, with … for
// what differs, and `yaml` blocks are files by the name in their first line.
// Blocks whose compiler is absent are passed over, and said to be.
func TestScannersPage(t *testing.T) {
	if testing.Short() {
		t.Skip("compiles a scanner in Go a dozen times; make test runs it without the race detector")
	}
	page, err := os.ReadFile("../../docs/scanners.md")
	if err != nil {
		t.Fatal(err)
	}
	script, commands, skipped, err := scriptOf(string(page), func(need string) bool { return compiles(t, need) })
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range skipped {
		t.Log(s)
	}
	if commands < 25 {
		t.Fatalf("only %d commands were found in the page", commands)
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "page.txtar"), []byte(script), 0o600); err != nil {
		t.Fatal(err)
	}
	params := scriptParams(t)
	params.Dir = dir
	setup := params.Setup
	params.Setup = func(env *testscript.Env) error {
		home, err := os.UserHomeDir()
		if err == nil { // where compilers keep themselves
			env.Setenv("CARGO_HOME", filepath.Join(home, ".cargo"))
			env.Setenv("RUSTUP_HOME", filepath.Join(home, ".rustup"))
		}
		return setup(env)
	}
	testscript.Run(t, params)
}

// compiles tells whether the compiler of a language is here, by what its own
// scaffold says.
func compiles(t *testing.T, lang string) bool {
	dir := filepath.Join(t.TempDir(), "x")
	bartizan(t, "scanner", "new", "--lang", lang, "--dir", dir, "x")
	cmd := exec.CommandContext(t.Context(), "make", "-s", "toolchain")
	cmd.Dir = dir
	err := cmd.Run()
	if err != nil && os.Getenv("BARTIZAN_TOOLCHAINS") == "required" {
		t.Fatalf("required, and absent: %s", lang)
	}
	return err == nil
}

// approved is what the page leaves to the README: a server and an agent's key.
const approved = `
upstream
exec bartizan key generate --out rita.key
exec bartizan key allow --namespace io.github.acme --public acme.key.pub
exec bartizan trust rotate --data data --add-voter rita=rita.key.pub
exec bartizan key create --name rita --role reviewer -o json
pick RITA /token
exec bartizan key create --name agent --role agent -o json
pick AGENT /token
envsubst server.json
exits 0 bartizan publish server.json --key acme.key -o json
pick REVIEW /review
env BARTIZAN_TOKEN=$RITA
exec bartizan review vote $REVIEW --key rita.key
exec bartizan review approve $REVIEW
env BARTIZAN_TOKEN=$AGENT
call $GATEWAY/mcp/echo $AGENT echo hello
env BARTIZAN_GATEWAY=$GATEWAY
`

const approvedServer = `{"name":"io.github.acme/echo","description":"Repeats","version":"1.0.0","remotes":[{"type":"streamable-http","url":"${UPSTREAM}"}]}`

// pageScript is a page on its way to a script of package testscript.
type pageScript struct {
	script, files strings.Builder
	commands      int
}

// scriptOf turns a page into a script.
func scriptOf(page string, has func(string) bool) (script string, commands int, skipped []string, err error) {
	p := &pageScript{}
	fmt.Fprintf(&p.files, "-- server.json --\n%s\n", approvedServer)
	lines := strings.Split(page, "\n")
	for i := 0; i < len(lines); i++ {
		if strings.HasPrefix(lines[i], "<!-- the test approves a server here") {
			p.script.WriteString(approved)
		}
		info, ok := strings.CutPrefix(lines[i], "```")
		if !ok || info == "" {
			continue
		}
		var block []string
		for i++; i < len(lines) && lines[i] != "```"; i++ {
			block = append(block, lines[i])
		}
		kind, need, _ := strings.Cut(info, " ")
		switch {
		case need != "" && !has(need):
			skipped = append(skipped, fmt.Sprintf("the block %q is passed over: there is no compiler for %s", block[0], need))
		case kind == "console":
			if err := p.console(block); err != nil {
				return "", 0, nil, err
			}
		case kind == "yaml":
			name, ok := strings.CutPrefix(block[0], "# ")
			if !ok {
				return "", 0, nil, fmt.Errorf("the block %q does not name its file", block[0])
			}
			fmt.Fprintf(&p.files, "-- %s --\n%s\n", name, strings.Join(block[1:], "\n"))
		default:
			return "", 0, nil, fmt.Errorf("a block of kind %q is neither run nor written", info)
		}
	}
	return p.script.String() + p.files.String(), p.commands, skipped, nil
}

// console adds commands and what they have to print.
func (p *pageScript) console(block []string) error {
	for i := 0; i < len(block); i++ {
		command, ok := strings.CutPrefix(block[i], "$ ")
		if !ok {
			p.prints(block[i])
			continue
		}
		p.commands++
		if at, ok := strings.CutSuffix(command, " <<'EOF'"); ok {
			name, ok := strings.CutPrefix(at, "cat > ")
			if !ok {
				return fmt.Errorf("%q: only cat writes files", command)
			}
			from := i + 1
			for i++; i < len(block) && block[i] != "EOF"; i++ {
			}
			written := fmt.Sprintf("file%d", p.commands)
			fmt.Fprintf(&p.files, "-- %s --\n%s\n", written, strings.Join(block[from:i], "\n"))
			fmt.Fprintf(&p.script, "cp $WORK/%s %s\n", written, name)
			continue
		}
		p.command(command)
	}
	return nil
}

var exitComment = regexp.MustCompile(` +# exit code ([0-9])$`)

func (p *pageScript) command(command string) {
	code := "0"
	if m := exitComment.FindStringSubmatch(command); m != nil {
		code, command = m[1], strings.TrimSuffix(command, m[0])
	}
	if before, file, ok := strings.Cut(command, " < "); ok {
		command = before
		fmt.Fprintf(&p.script, "stdin %s\n", file)
	}
	word, rest, _ := strings.Cut(command, " ")
	switch {
	case word == "cd" || word == "cp" || word == "cmp":
		fmt.Fprintln(&p.script, command)
	case strings.HasPrefix(command, "bartizan serve --data data "):
		fmt.Fprintln(&p.script, "doors", strings.TrimPrefix(command, "bartizan serve --data data "))
	default:
		fmt.Fprintf(&p.script, "exits %s %s %s\n", code, word, rest)
	}
}

// prints adds a line that the last command has to have printed. Columns may be
// apart by any number of spaces.
func (p *pageScript) prints(line string) {
	line = strings.TrimSuffix(line, "…")
	if strings.TrimSpace(line) == "" {
		return
	}
	var parts []string
	for part := range strings.SplitSeq(line, "…") {
		words := strings.Fields(part)
		for i := range words {
			words[i] = regexp.QuoteMeta(words[i])
		}
		parts = append(parts, strings.Join(words, ` +`))
	}
	fmt.Fprintf(&p.script, "stdout '%s'\n", strings.ReplaceAll(strings.Join(parts, ".*"), "'", "''"))
}

func TestScriptOf(t *testing.T) {
	const page = "text\n```console\n$ cd a\n$ bartizan x -o 'y'   # exit code 3\none …  two's [x]\n…\n" +
		"$ cat > f.json <<'EOF'\n{}\nEOF\n$ bartizan y < f.json\n```\n```yaml\n# b/c.yaml\nd: e\n```\n```console cobol\n$ cobol\n```\n" +
		"```console\n$ bartizan serve --data data --config z\n```\n"
	script, commands, skipped, err := scriptOf(page, func(string) bool { return false })
	want := "cd a\nexits 3 bartizan x -o 'y'\nstdout 'one.*two''s +\\[x\\]'\ncp $WORK/file3 f.json\nstdin f.json\nexits 0 bartizan y\ndoors --config z\n" +
		"-- server.json --\n" + approvedServer + "\n-- file3 --\n{}\n-- b/c.yaml --\nd: e\n"
	if err != nil || script != want || commands != 5 || len(skipped) != 1 {
		t.Errorf("%s\n%d commands, %q, %v", script, commands, skipped, err)
	}
	for _, bad := range []string{"```sh\nls\n```", "```yaml\na: b\n```", "```console\n$ tee x <<'EOF'\nEOF\n```"} {
		if _, _, _, err := scriptOf(bad, nil); err == nil {
			t.Errorf("%q is understood", bad)
		}
	}
}
