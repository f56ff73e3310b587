package probe

import (
	"crypto/rand"
	"strings"

	"github.com/bartizan-mcp/bartizan/internal/sandbox"
)

// circumstances are what a server could tell one machine from another by, in
// order to behave on the one and not on the other.
type circumstances struct {
	name     string
	hostname string
	user     string
	client   string // that asks
	env      []string
	files    map[string]string // in the home folder
}

// every is what each server is run under: a machine that builds, where nobody
// would steal, and one that somebody works on. The first gives the listing. The
// time zone is the same, since honest servers write it into descriptions.
func every() []circumstances {
	return []circumstances{
		{
			name: "workstation", hostname: "anna-thinkpad", user: "anna", client: "claude-ai",
			env: []string{"TERM=xterm-256color", "LANG=en_GB.UTF-8", "SHELL=/bin/bash", "DISPLAY=:0", "EDITOR=vim"},
			files: map[string]string{
				".bash_history": "cd projects\ngit status\nexport API_TOKEN={SECRET}\n",
				".gitconfig":    "[user]\n\tname = Anna\n\temail = anna@example.org\n",
			},
		},
		{
			name: "ci", hostname: "runner-" + strings.ToLower(rand.Text()[:8]), user: "runner", client: "bartizan",
			env: []string{"CI=true", "GITHUB_ACTIONS=true", "LANG=C.UTF-8", "TERM=dumb", "RUNNER_OS=Linux"},
		},
	}
}

func (c circumstances) home() string { return "/home/" + c.user }

// planted are files with secrets that programs keep where everybody knows.
var planted = map[string]string{
	".aws/credentials":                "[default]\naws_access_key_id = AKIA{ID}\naws_secret_access_key = {SECRET}\n",
	".ssh/id_ed25519":                 "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQAAAAAAAAABAAAAMw{SECRET}\n-----END OPENSSH PRIVATE KEY-----\n",
	".npmrc":                          "//registry.example.org/:_authToken={SECRET}\n",
	".netrc":                          "machine git.example.org login anna password {SECRET}\n",
	".git-credentials":                "https://anna:{SECRET}@git.example.org\n",
	".config/gh/hosts.yml":            "github.example.org:\n    oauth_token: gho_{SECRET}\n    user: anna\n",
	".docker/config.json":             `{"auths":{"registry.example.org":{"auth":"{SECRET}"}}}` + "\n",
	".kube/config":                    "apiVersion: v1\nkind: Config\nusers:\n- name: anna\n  user:\n    token: {SECRET}\n",
	".config/gcloud/credentials.json": `{"type":"authorized_user","refresh_token":"{SECRET}"}` + "\n",
}

// plantedEnv are variables that servers did not ask for and machines have.
var plantedEnv = []string{"AWS_SECRET_ACCESS_KEY", "GITHUB_TOKEN", "NPM_TOKEN", "OPENAI_API_KEY"}

// plant makes the environment and the files of one run, with new canaries.
func (c circumstances) plant(j Job, p *placed) (env []string, files []sandbox.File, all []canary) {
	env = append(env, "HOME="+c.home(), "USER="+c.user, "LOGNAME="+c.user, "PATH="+p.path, "PWD="+p.dir)
	env = append(append(env, c.env...), p.env...)
	have := map[string]bool{}
	for _, kv := range env {
		name, _, _ := strings.Cut(kv, "=")
		have[name] = true
	}
	for _, name := range append(append([]string{}, j.EnvNames...), plantedEnv...) {
		if have[name] {
			continue
		}
		have[name] = true
		if value, plain := harmless(name); plain {
			env = append(env, name+"="+value)
			continue
		}
		k := newCanary("environment variable "+name, secretName(name, j.Secrets))
		all, env = append(all, k), append(env, name+"="+k.value)
	}
	put := func(name, text string, watched bool) {
		if strings.Contains(text, "{SECRET}") {
			k := newCanary("~/"+name, true)
			all = append(all, k)
			text = strings.NewReplacer("{SECRET}", k.value, "{ID}", strings.ToUpper(rand.Text()[:16])).Replace(text)
		}
		files = append(files, sandbox.File{Path: c.home() + "/" + name, Content: text, Watched: watched})
	}
	for name, text := range planted {
		put(name, text, true)
	}
	for name, text := range c.files {
		put(name, text, strings.Contains(text, "{SECRET}"))
	}
	return env, files, all
}

// harmless gives variables that are no secrets by their name a value that a
// program can work with.
func harmless(name string) (string, bool) {
	upper := strings.ToUpper(name)
	for suffix, value := range map[string]string{
		"URL": "http://127.0.0.1:8080", "URI": "http://127.0.0.1:8080", "ENDPOINT": "http://127.0.0.1:8080", "HOST": "127.0.0.1",
		"PORT": "8080", "LOG_LEVEL": "info", "NODE_ENV": "production", "REGION": "eu-central-1",
	} {
		if strings.HasSuffix(upper, suffix) {
			return value, true
		}
	}
	return "", false
}

// secretName tells secrets from settings: those that are declared to be, and
// those that are called so.
func secretName(name string, declared []string) bool {
	upper := strings.ToUpper(name)
	for _, word := range []string{"KEY", "TOKEN", "SECRET", "PASS", "CREDENTIAL", "AUTH"} {
		if strings.Contains(upper, word) {
			return true
		}
	}
	for _, d := range declared {
		if d == name {
			return true
		}
	}
	return false
}
