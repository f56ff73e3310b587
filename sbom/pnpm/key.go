package pnpm

import (
	"regexp"
	"strings"
)

// maxKey bounds the key of a package; sets of peers make them long.
const maxKey = 4096

// plain is a version; what is not one came from git, a folder or an address.
var plain = regexp.MustCompile(`^[0-9]+\.[0-9]+\.[0-9]+([-+][0-9A-Za-z.+-]+)?$`)

// key is the key of the package that a reference means, by the rules of each
// version: a reference is a version, of the name that it stands for, or a key
// itself, which is how an alias is written.
func (r *reader) key(name, ref string) string {
	bracket := strings.IndexByte(ref, '(')
	before := ref
	if bracket >= 0 {
		before = ref[:bracket]
	}
	switch r.major {
	case "5":
		if !strings.Contains(before, "/") && !strings.HasPrefix(ref, "file:") {
			return "/" + name + "/" + ref
		}
		return ref
	case "6":
		if !strings.Contains(before, "/") && !strings.HasPrefix(ref, "file:") {
			return "/" + name + "@" + ref
		}
		return ref
	}
	at, colon := strings.IndexByte(before, '@'), strings.IndexByte(before, ':')
	if at == 0 || at > 0 && (colon < 0 || at < colon) {
		return ref
	}
	return name + "@" + ref
}

// identity reads name and version out of a key, without its set of peers:
// /@s/a/1.0.0_b@2.0.0, /@s/a@1.0.0(b@2.0.0), @s/a@1.0.0(b@2.0.0). Keys of git
// packages have none up to version 6; their entries say both.
func (r *reader) identity(key string) (name, version string) {
	key, _, _ = strings.Cut(key, "(")
	if r.major != "5" {
		return cutVersion(strings.TrimPrefix(key, "/"))
	}
	rest, ok := strings.CutPrefix(key, "/")
	if !ok {
		return "", ""
	}
	parts := strings.SplitN(rest, "/", 3)
	scope := 1
	if strings.HasPrefix(rest, "@") {
		scope = 2
	}
	if len(parts) <= scope {
		return "", ""
	}
	version, _, _ = strings.Cut(strings.Join(parts[scope:], "/"), "_")
	return strings.Join(parts[:scope], "/"), version
}

// cutVersion cuts name@version at the first @ that does not begin a scope.
func cutVersion(s string) (name, version string) {
	if len(s) == 0 {
		return "", ""
	}
	i := strings.IndexByte(s[1:], '@')
	if i < 0 {
		return s, ""
	}
	return s[:i+1], s[i+2:]
}
