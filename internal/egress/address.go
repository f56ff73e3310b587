package egress

import "net/netip"

// Allows reports whether the policy connects to ip.
func (p Policy) Allows(ip netip.Addr) bool {
	ip = ip.Unmap().WithZone("")
	if inner, embeds := embedded(ip); embeds {
		return Policy{Private: p.Private}.Allows(inner) // nobody writes loopback so
	}
	switch {
	case !ip.IsValid():
		return false
	case ip.IsLoopback():
		return p.Loopback
	case metadata(ip):
		return false
	case ip.IsPrivate():
		return p.Private
	}
	for _, refused := range special {
		if refused.Contains(ip) {
			return false
		}
	}
	return true
}

// special are the ranges that no server outside is in (IANA special-purpose
// registries; RFC 6890 and its successors).
var special = prefixes(
	"0.0.0.0/8",       // this network (RFC 791)
	"100.64.0.0/10",   // shared address space (RFC 6598); metadata of some hosters
	"169.254.0.0/16",  // link-local (RFC 3927); metadata of most hosters
	"192.0.0.0/24",    // protocol assignments (RFC 6890)
	"192.0.2.0/24",    // documentation (RFC 5737)
	"192.88.99.0/24",  // 6to4 relay (RFC 7526)
	"198.18.0.0/15",   // benchmarking (RFC 2544)
	"198.51.100.0/24", // documentation (RFC 5737)
	"203.0.113.0/24",  // documentation (RFC 5737)
	"224.0.0.0/4",     // multicast (RFC 5771)
	"240.0.0.0/4",     // reserved and broadcast (RFC 1112)

	"::/96",           // unspecified and IPv4-compatible (RFC 4291)
	"::ffff:0:0:0/96", // IPv4-translated (RFC 2765)
	"64:ff9b:1::/48",  // local NAT64 (RFC 8215): where it leads is a matter of the network
	"100::/64",        // discard (RFC 6666)
	"2001::/32",       // Teredo (RFC 4380): both ends are chosen by who writes it
	"2001:db8::/32",   // documentation (RFC 3849)
	"3fff::/20",       // documentation (RFC 9637)
	"5f00::/16",       // segment routing (RFC 9602)
	"fe80::/10",       // link-local (RFC 4291)
	"fec0::/10",       // site-local (RFC 3879)
	"ff00::/8",        // multicast (RFC 4291)
)

// hosting are the addresses of hosters' metadata services that lie in ranges
// which are allowed otherwise.
var hosting = prefixes(
	"168.63.129.16/32", // Azure
	"fd00:ec2::/32",    // AWS
	"fd20:ce::/32",     // Google
	"fd00:42::/32",     // Scaleway
)

func metadata(ip netip.Addr) bool {
	for _, p := range hosting {
		if p.Contains(ip) {
			return true
		}
	}
	return false
}

var (
	nat64 = netip.MustParsePrefix("64:ff9b::/96") // RFC 6052
	sixTo = netip.MustParsePrefix("2002::/16")    // RFC 3056
)

// embedded is the IPv4 address that an IPv6 address leads to: what is refused
// as itself is refused in that disguise.
func embedded(ip netip.Addr) (netip.Addr, bool) {
	if !ip.Is6() {
		return netip.Addr{}, false
	}
	b := ip.As16()
	switch {
	case nat64.Contains(ip):
		return netip.AddrFrom4([4]byte(b[12:16])), true
	case sixTo.Contains(ip):
		return netip.AddrFrom4([4]byte(b[2:6])), true
	case b[8]&0xfc == 0 && b[9] == 0 && b[10] == 0x5e && b[11] == 0xfe: // ISATAP (RFC 5214)
		return netip.AddrFrom4([4]byte(b[12:16])), true
	}
	return netip.Addr{}, false
}

func prefixes(all ...string) []netip.Prefix {
	out := make([]netip.Prefix, len(all))
	for i, p := range all {
		out[i] = netip.MustParsePrefix(p)
	}
	return out
}
