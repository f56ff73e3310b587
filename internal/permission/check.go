package permission

import (
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

var (
	hostPattern    = regexp.MustCompile(`^(?:\*\.)?[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*$`)
	oauthPattern   = regexp.MustCompile(`^[\x21\x23-\x5b\x5d-\x7e]{1,150}$`)
	programPattern = regexp.MustCompile(`^(?:\*|/?[A-Za-z0-9._+@-]+(?:/[A-Za-z0-9._+@-]+)*)$`)
	envPattern     = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]{0,127}$`)
	classPattern   = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9 ._/-]{0,63}$`)
	anchorPattern  = regexp.MustCompile(`^(?:/|~/|~$|\$?\{[A-Za-z_][A-Za-z0-9_]*\})`)
)

// Directions of data, in the words of CycloneDX.
var flows = []string{"inbound", "outbound", "bi-directional", "unknown"}

func (n Needs) check() error {
	for _, list := range []struct {
		member string
		values []string
		valid  func(string) bool
	}{
		{"oauthScopes", n.OAuthScopes, oauthPattern.MatchString},
		{"network", n.Network, destination},
		{"exec", n.Exec, func(s string) bool { return len(s) <= maxText && programPattern.MatchString(s) && !climbs(s) }},
		{"env", n.Env, envPattern.MatchString},
		{"files", n.Paths(), func(s string) bool { access, path, _ := strings.Cut(s, ":"); return file(path, access) }},
	} {
		if len(list.values) > maxList {
			return fmt.Errorf("%w: %s has more than %d elements", ErrMalformed, list.member, maxList)
		}
		for i, v := range list.values {
			if !list.valid(v) {
				return fmt.Errorf("%w: %s[%d] is not one", ErrMalformed, list.member, i)
			}
			if slices.Contains(list.values[:i], v) {
				return fmt.Errorf("%w: %s[%d] stands there twice", ErrMalformed, list.member, i)
			}
		}
	}
	if len(n.Data) > maxList {
		return fmt.Errorf("%w: data has more than %d elements", ErrMalformed, maxList)
	}
	for i, d := range n.Data {
		if !slices.Contains(flows, d.Flow) || !classPattern.MatchString(d.Classification) || slices.Contains(n.Data[:i], d) {
			return fmt.Errorf("%w: data[%d] is not a flow with a classification, or stands there twice", ErrMalformed, i)
		}
	}
	return nil
}

// destination is host[:port], in the spelling that two people would use.
func destination(s string) bool {
	if s == "*" {
		return true
	}
	host, port := s, ""
	if at := strings.LastIndexByte(s, ':'); at >= 0 && !strings.HasSuffix(s, "]") {
		host, port = s[:at], s[at+1:]
		if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 || strconv.FormatUint(n, 10) != port {
			return false
		}
	}
	if inner, bracketed := strings.CutPrefix(host, "["); bracketed {
		ip, err := netip.ParseAddr(strings.TrimSuffix(inner, "]"))
		return err == nil && ip.Is6() && ip.Zone() == "" && "["+ip.String()+"]" == host
	}
	return len(host) <= maxText && hostPattern.MatchString(host)
}

// file is a path from a place that has a name, which stays below it.
func file(path, access string) bool {
	if len(path) > maxText || !utf8.ValidString(path) || !anchorPattern.MatchString(path) || climbs(path) {
		return false
	}
	if strings.ContainsFunc(path, func(r rune) bool { return r != ' ' && !unicode.IsPrint(r) }) {
		return false
	}
	return access == "read" || access == "write" || access == "read-write"
}

func climbs(path string) bool { return slices.Contains(strings.Split(path, "/"), "..") }
