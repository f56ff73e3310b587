package checklist

import (
	"fmt"
	"maps"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"
)

var dataRules = []rule{
	{"DATA-1", "The sensitivity of the data it reaches is recorded", dataDeclared},
	{"DATA-2", "Its data access is clearly scoped and justified (no PII without need)", nil},
	{"DATA-3", "Exfiltration risk was assessed", nil},
	{"DATA-4", "Retention, deletion and encryption are clear", nil},
}

var permissionRules = []rule{
	{"PERM-1", "Permission scopes are declared", scopesDeclared},
	{"PERM-2", "Files, network and API access are the least it needs", nil},
	{"PERM-3", "OAuth scopes and database rights are read-only where possible", nil},
	{"PERM-4", "Files and programs that it reached for in isolation are declared", filesDeclared},
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
	{"NET-4", "Network destinations that it reached for in isolation are declared", networkDeclared},
}

var policyRules = []rule{
	{"POL-1", "The version is in the inventory", inventoried},
	{"POL-2", "The use case is explained and justified", nil},
	{"POL-3", "No approved server already does this", nil},
	{"POL-4", "Governance, regulatory and legal demands are met", nil},
}

func scopesDeclared(f *Facts) outcome {
	d := &f.Declaration
	facts := map[string]any{"scopes": f.Scopes, "permissions": d.Permissions, "unlistedTools": d.Unlisted}
	switch {
	case len(d.Unlisted) > 0:
		return fail(fmt.Sprintf("permissions of tools that are not listed: %s", strings.Join(d.Unlisted[:min(len(d.Unlisted), 10)], ", ")), facts)
	case f.Scopes == nil:
		return fail("the publication declares no scopes; an empty list would say that it needs none", facts)
	case len(f.Scopes) == 0:
		return pass("declares that it needs none", facts)
	}
	return pass(strings.Join(f.Scopes, ", "), facts)
}

// dataDeclared answers from the declaration; without one a person has to.
func dataDeclared(f *Facts) outcome {
	p := f.Declaration.Permissions
	if p == nil || p.Data == nil {
		return unmeasured("the publisher declares no classes of data")
	}
	var classes []string
	for _, d := range p.Data {
		classes = append(classes, d.Flow+" "+d.Classification)
	}
	if len(classes) == 0 {
		classes = []string{"declares that it handles none"}
	}
	return pass(strings.Join(classes, ", "), map[string]any{"data": p.Data, "tools": p.Tools})
}

func environmentDeclared(f *Facts) outcome {
	used := slices.Concat(f.Launch.EnvNames, slices.Sorted(maps.Keys(f.Launch.Env)))
	if len(used) == 0 {
		return notNeeded("the launch uses no environment variables")
	}
	declared := f.Document.EnvNames()
	missing := slices.Clone(f.Declaration.UndeclaredEnv)
	for _, name := range used {
		if !slices.Contains(declared, name) && !slices.Contains(missing, name) {
			missing = append(missing, name)
		}
	}
	return verdict(missing, "all declared", "variables that server.json or its permissions do not declare",
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
	note := "https, or plain on loopback only"
	if f.TLS != nil && len(f.TLS.Chain) > 0 {
		note = fmt.Sprintf("%s; its certificate ends %s", f.TLS.Version, f.TLS.Chain[0].NotAfter.Format(time.DateOnly))
	}
	return verdict(plain, note, "endpoints without TLS", map[string]any{"endpoints": endpoints, "plain": plain, "tls": f.TLS})
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
