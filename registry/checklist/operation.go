package checklist

import (
	"fmt"
	"maps"
	"net/netip"
	"net/url"
	"slices"
	"strings"
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
	{"AUTH-2", "No secret stands in the artifact, server.json or launch arguments", noSecrets},
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
	used := slices.Concat(f.Launch.EnvNames, slices.Sorted(maps.Keys(f.Launch.Env)))
	if len(used) == 0 {
		return notNeeded("the launch uses no environment variables")
	}
	declared := f.Document.EnvNames()
	var missing []string
	for _, name := range used {
		if !slices.Contains(declared, name) {
			missing = append(missing, name)
		}
	}
	return verdict(missing, "all declared in server.json", "variables that server.json does not declare",
		map[string]any{"launch": used, "declared": declared, "missing": missing})
}

// noSecrets reads the search that the pipeline made: what it found in tests,
// examples and dependencies is for people to look at.
func noSecrets(f *Facts) outcome {
	s := &f.Secrets
	switch {
	case len(s.Held) > 0:
		return fail(fmt.Sprintf("hard-coded credentials: %s", strings.Join(s.Held[:min(len(s.Held), 5)], "; ")), s.Report)
	case s.Unexamined != "":
		return unmeasured(s.Unexamined)
	case s.Others > 0:
		return pass(fmt.Sprintf("none; %d places in tests, examples or dependencies, or not certain enough, are in the evidence", s.Others), s.Report)
	}
	return pass("none was found", s.Report)
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
	facts := map[string]any{"binding": f.Binding, "launch": f.Launch, "tree": f.Tree}
	switch f.Binding {
	case "endpoint":
		if f.Launch.Pin != "" {
			return pass("the exact URL and who answers there are bound; the code behind it is not", facts)
		}
		if f.Launch.Transport != "" {
			return pass("the exact URL and its deprecated transport, HTTP+SSE, are bound; the code behind it is not", facts)
		}
		return pass("the exact URL is bound; the code behind it is not", facts)
	case "command":
		return pass("the command line and environment names are bound; the code is not", facts)
	case "artifact":
		return pass("the tree, the command line, the environment's values and the runtime's executable are bound; libraries that the runtime takes from the system are not", facts)
	}
	return fail("nothing binds the launch", facts)
}

func inventoried(f *Facts) outcome {
	return pass("recorded with this publication", map[string]any{"name": f.Document.Name, "version": f.Document.Version, "publisher": f.Publisher, "listingSource": f.ListingSource})
}
