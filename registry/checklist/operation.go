package checklist

import (
	"fmt"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/bartizan-mcp/bartizan/registry/serverjson"
)

var dataRules = []rule{
	{"DATA-1", "The sensitivity of the data it reaches is recorded", nil},
	{"DATA-2", "Its data access is clearly scoped and justified (no PII without need)", nil},
	{"DATA-3", "Exfiltration risk was assessed", nil},
	{"DATA-4", "Retention, deletion and encryption are clear", nil},
}

var permissionRules = []rule{
	{"PERM-1", "Permission scopes are declared", scopesDeclared},
	{"PERM-2", "Files, network and API access are the least it needs", nil},
	{"PERM-3", "OAuth scopes and database rights are read-only where possible", nil},
}

var authenticationRules = []rule{
	{"AUTH-1", "Every environment variable that the launch uses is declared", environmentDeclared},
	{"AUTH-2", "No secret stands in launch arguments or server.json", noSecrets},
	{"AUTH-3", "Credentials are stored safely, expire, rotate and can be revoked", nil},
}

var networkRules = []rule{
	{"NET-1", "Endpoints use HTTPS", usesHTTPS},
	{"NET-2", "Transport and launch can be bound by an approval", bindable},
	{"NET-3", "Access to the server is authenticated and its network trusted", nil},
}

var policyRules = []rule{
	{"POL-1", "The version is in the inventory", inventoried},
	{"POL-2", "The use case is explained and justified", nil},
	{"POL-3", "No approved server already does this", nil},
	{"POL-4", "Governance, regulatory and legal demands are met", nil},
}

func scopesDeclared(f *Facts) outcome {
	facts := map[string]any{"scopes": f.Scopes}
	switch {
	case f.Scopes == nil:
		return fail("the publication declares no scopes; an empty list would say that it needs none", facts)
	case len(f.Scopes) == 0:
		return pass("declares that it needs none", facts)
	}
	return pass(strings.Join(f.Scopes, ", "), facts)
}

func environmentDeclared(f *Facts) outcome {
	if len(f.Launch.EnvNames) == 0 {
		return notNeeded("the launch uses no environment variables")
	}
	declared := f.Document.EnvNames()
	var missing []string
	for _, name := range f.Launch.EnvNames {
		if !slices.Contains(declared, name) {
			missing = append(missing, name)
		}
	}
	return verdict(missing, "all declared in server.json", "variables that server.json does not declare",
		map[string]any{"launch": f.Launch.EnvNames, "declared": declared, "missing": missing})
}

// secretShapes are prefixes and forms that vendors chose so that scanners can
// tell their secrets; a long unnamed random string is left to people.
var secretShapes = []struct {
	name    string
	pattern *regexp.Regexp
}{
	{"AWS access key", regexp.MustCompile(`\b(?:AKIA|ASIA)[A-Z0-9]{16}\b`)},
	{"GitHub token", regexp.MustCompile(`\b(?:gh[pousr]_[A-Za-z0-9]{30,}|github_pat_[A-Za-z0-9_]{40,})`)},
	{"GitLab token", regexp.MustCompile(`\bglpat-[A-Za-z0-9_-]{16,}`)},
	{"Slack token", regexp.MustCompile(`\bxox[abeprs]-[A-Za-z0-9-]{10,}`)},
	{"API key", regexp.MustCompile(`\b(?:sk|rk|pk)[-_](?:live|test|ant|proj)?[-_]?[A-Za-z0-9_-]{20,}`)},
	{"Google API key", regexp.MustCompile(`\bAIza[A-Za-z0-9_-]{30,}`)},
	{"Bartizan key", regexp.MustCompile(`\bbz_[A-Za-z0-9]+_[A-Za-z0-9_-]{20,}`)},
	{"JSON Web Token", regexp.MustCompile(`\beyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.`)},
	{"private key", regexp.MustCompile(`-----BEGIN [A-Z ]*PRIVATE KEY-----`)},
	{"password argument", regexp.MustCompile(`(?i)^-{1,2}(?:password|passwd|secret|token|api[-_]?key|access[-_]?key)=[^{$\s]{6,}$`)},
	{"password in a URL", regexp.MustCompile(`(?i)\b[a-z][a-z0-9+.-]*://[^/\s:@]+:[^/\s:@{}]+@`)},
}

func noSecrets(f *Facts) outcome {
	type place struct {
		Where string `json:"where"`
		Shape string `json:"shape"` // never the secret
	}
	var found []place
	look := func(where, text string) {
		for _, s := range secretShapes {
			if s.pattern.MatchString(text) {
				found = append(found, place{where, s.name})
			}
		}
	}
	for i, arg := range f.Launch.Command {
		look(fmt.Sprintf("launch argument %d", i), arg)
	}
	look("launch URL", f.Launch.URL)
	inputs := func(where string, list []serverjson.Input) {
		for i, in := range list {
			at := fmt.Sprintf("%s %d", where, i)
			if in.Secret && (in.Value != "" && !strings.Contains(in.Value, "{") || in.Default != "") {
				found = append(found, place{at, "value of an input marked secret"})
			}
			look(at, in.Value)
			look(at, in.Default)
		}
	}
	for _, p := range f.Document.Packages {
		inputs("environment variable", p.Environment)
		inputs("argument", p.Arguments)
	}
	for _, r := range f.Document.Remotes {
		inputs("header", r.Headers)
		look("remote URL", r.URL)
	}
	return verdict(found, "none of the known shapes", "places with what looks like a secret", map[string]any{"shapes": len(secretShapes), "found": found})
}

func usesHTTPS(f *Facts) outcome {
	endpoints := []string{}
	for _, r := range f.Document.Remotes {
		endpoints = append(endpoints, r.URL)
	}
	if f.Launch.URL != "" && !slices.Contains(endpoints, f.Launch.URL) {
		endpoints = append(endpoints, f.Launch.URL)
	}
	if len(endpoints) == 0 {
		return notNeeded("started locally over stdio")
	}
	var plain []string
	for _, e := range endpoints {
		if !strings.HasPrefix(e, "https://") && !loopback(e) {
			plain = append(plain, e)
		}
	}
	return verdict(plain, "https, or plain on loopback only", "endpoints without TLS", map[string]any{"endpoints": endpoints, "plain": plain})
}

func loopback(endpoint string) bool {
	u, err := url.Parse(endpoint)
	if err != nil {
		return false
	}
	ip, err := netip.ParseAddr(u.Hostname())
	return u.Hostname() == "localhost" || err == nil && ip.IsLoopback()
}

func bindable(f *Facts) outcome {
	facts := map[string]any{"binding": f.Binding, "launch": f.Launch}
	switch f.Binding {
	case "endpoint":
		if f.Launch.Transport != "" {
			return pass("the exact URL and its deprecated transport, HTTP+SSE, are bound; the code behind it is not", facts)
		}
		return pass("the exact URL is bound; the code behind it is not", facts)
	case "command":
		return pass("the command line and environment names are bound; the code is not", facts)
	case "artifact":
		return pass("the started tree is bound to the artifact's digest", facts)
	}
	return fail("nothing binds the launch", facts)
}

func inventoried(f *Facts) outcome {
	return pass("recorded with this publication", map[string]any{"name": f.Document.Name, "version": f.Document.Version, "publisher": f.Publisher, "listingSource": f.ListingSource})
}
