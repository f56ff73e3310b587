package npm

import (
	"net/url"
	"path"
	"regexp"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// maxSource is the longest source that is recorded; the rest says nothing more.
const maxSource = 512

// plainVersion tells a version from the git, file and tarball specifications
// that lockfiles put in its place.
func plainVersion(s string) bool { return version.MatchString(s) }

var version = regexp.MustCompile(`^v?[0-9]+(\.[0-9]+){0,2}([-+.][0-9A-Za-z.+-]+)?$`)

// source is where a package is fetched from, or "" when that is a registry's
// tarball of the same name and version: <registry>/<name>/-/<base>-<version>.tgz.
// Registries with other addresses are recorded, which is no more than true.
func source(p Package, resolved string) string {
	if resolved == "" || p.Bundled {
		return ""
	}
	u, err := url.Parse(resolved)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" {
		return clip(resolved)
	}
	if name, v, ok := registryTarball(u); ok && name == p.Name && v == p.Version {
		return ""
	}
	return clip(resolved)
}

// Source is source, for the readers of other clients' lockfiles.
func Source(p Package, resolved string) string { return source(p, resolved) }

// registryTarball reads name and version out of the address of a tarball.
func registryTarball(u *url.URL) (name, version string, ok bool) {
	before, file, ok := strings.Cut(u.Path, "/-/")
	if !ok {
		return "", "", false
	}
	parent, base := path.Split(before)
	name = base
	if scope := path.Base(parent); strings.HasPrefix(scope, "@") {
		name = scope + "/" + base
	}
	version, ok = strings.CutPrefix(path.Base(file), base+"-")
	if !ok {
		return "", "", false
	}
	version, ok = strings.CutSuffix(version, ".tgz")
	return name, version, ok
}

// clip bounds what a stranger wrote, and drops what may be a secret: addresses
// can carry a name and a password.
func clip(s string) string {
	if u, err := url.Parse(s); err == nil && u.User != nil {
		u.User = nil
		s = u.String()
	}
	s = strings.ToValidUTF8(s, "?")
	if len(s) > maxSource {
		s = strings.ToValidUTF8(s[:maxSource], "") + "…"
	}
	return s
}

// specifiers merges groups of dependencies; a later one wins.
func specifiers(groups ...map[string]jsontext.Value) map[string]string {
	all := map[string]string{}
	for _, g := range groups {
		for name, spec := range g {
			all[name] = text(spec)
		}
	}
	return all
}
