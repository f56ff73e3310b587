package egress

import (
	"fmt"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
)

// check reports what is wrong with a URL that somebody else wrote, before
// anything is resolved: another scheme than http and https, user information, a
// port that belongs to another protocol, a host that two programs would read
// differently. The error wraps ErrURL and holds nothing of the URL.
func check(u *url.URL) error {
	switch {
	case u.Scheme != "http" && u.Scheme != "https":
		return refuse("its scheme is neither http nor https")
	case u.User != nil:
		return refuse("it holds user information")
	case u.Opaque != "" || u.Host == "":
		return refuse("it has no host")
	}
	if p := u.Port(); p != "" || strings.HasSuffix(u.Host, ":") {
		n, err := strconv.ParseUint(p, 10, 16)
		if err != nil || n == 0 || badPorts[uint16(n)] || strconv.FormatUint(n, 10) != p {
			return refuse("its port is not one of a web server")
		}
	}
	return checkHost(u.Hostname(), strings.HasPrefix(u.Host, "["))
}

// checkHost takes an IP address in its usual spelling or a name in ASCII.
func checkHost(host string, brackets bool) error {
	if brackets {
		ip, err := netip.ParseAddr(host)
		if err != nil || ip.Zone() != "" || ip.Is4() || ip.Is4In6() {
			return refuse("its IPv6 address is not one")
		}
		return nil
	}
	if len(host) > 253 {
		return refuse("its host is too long")
	}
	labels := strings.Split(host, ".")
	for _, label := range labels {
		if label == "" || len(label) > 63 || label[0] == '-' || strings.ContainsFunc(label, func(r rune) bool { return !nameRune(r) }) {
			return refuse("its host is no name in ASCII (internationalised names are written xn--...)")
		}
	}
	// What ends in a number is an IPv4 address to browsers and C libraries, in
	// any of a dozen spellings (WHATWG URL §3.5); here it is one in the usual
	// spelling or nothing.
	if numeric(labels[len(labels)-1]) {
		if ip, err := netip.ParseAddr(host); err != nil || !ip.Is4() {
			return refuse("its host is an IPv4 address in an unusual spelling")
		}
	}
	return nil
}

func nameRune(r rune) bool {
	return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '_'
}

func numeric(label string) bool {
	if hex, found := strings.CutPrefix(strings.ToLower(label), "0x"); found {
		return strings.Trim(hex, "0123456789abcdef") == ""
	}
	return strings.Trim(label, "0123456789") == ""
}

func refuse(why string) error { return fmt.Errorf("%w: %s", ErrURL, why) }

// badPorts belong to protocols that a request could be taken for (Fetch
// Standard, port blocking).
var badPorts = func() map[uint16]bool {
	all := map[uint16]bool{}
	for _, p := range []uint16{
		0, 1, 7, 9, 11, 13, 15, 17, 19, 20, 21, 22, 23, 25, 37, 42, 43, 53, 69, 77, 79, 87, 95, 101, 102, 103, 104, 109, 110,
		111, 113, 115, 117, 119, 123, 135, 137, 139, 143, 161, 179, 389, 427, 465, 512, 513, 514, 515, 526, 530, 531, 532,
		540, 548, 554, 556, 563, 587, 601, 636, 989, 990, 993, 995, 1719, 1720, 1723, 2049, 3659, 4045, 4190, 5060, 5061,
		6000, 6379, 6566, 6665, 6666, 6667, 6668, 6669, 6679, 6697, 10080, 11211,
	} {
		all[p] = true
	}
	return all
}()
