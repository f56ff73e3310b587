package egress

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"testing"
)

func TestAllows(t *testing.T) {
	internal := Policy{Private: true}
	for address, want := range map[string]bool{
		"93.184.216.34": true, "2606:2800:220:1::1": true, "10.1.2.3": true, "172.16.0.1": true, "192.168.1.1": true, "fd12::1": true,
		"64:ff9b::5db8:d822": true, "2002:5db8:d822::1": true, "64:ff9b::a01:203": true,

		"127.0.0.1": false, "127.9.9.9": false, "::1": false, "::ffff:127.0.0.1": false, "64:ff9b::7f00:1": false, "2002:7f00:1::": false,
		"169.254.169.254": false, "::ffff:169.254.169.254": false, "64:ff9b::a9fe:a9fe": false, "2002:a9fe:a9fe::1": false, "::a9fe:a9fe": false,
		"2606:2800::5efe:a9fe:a9fe": false, "2606:2800::200:5efe:a9fe:a9fe": false, "::ffff:0:a9fe:a9fe": false, "64:ff9b:1::a9fe:a9fe": false,
		"fe80::1": false, "fe80::1%eth0": false, "fec0::1": false, "100.100.100.200": false, "100.64.0.1": false, "0.0.0.0": false, "0.1.2.3": false, "::": false,
		"168.63.129.16": false, "fd00:ec2::254": false, "fd20:ce::254": false, "192.0.0.192": false, "2001::1": false,
		"224.0.0.1": false, "239.1.1.1": false, "ff02::1": false, "ff0e::1": false, "198.18.0.1": false, "198.19.255.255": false,
		"240.0.0.1": false, "255.255.255.255": false, "192.0.2.1": false, "2001:db8::1": false, "100::1": false, "192.88.99.1": false,
	} {
		if got := internal.Allows(netip.MustParseAddr(address)); got != want {
			t.Errorf("%s: %v", address, got)
		}
	}
	for _, address := range []string{"127.0.0.1", "::1", "::ffff:127.0.0.1"} {
		if !(Policy{Loopback: true}).Allows(netip.MustParseAddr(address)) {
			t.Errorf("%s is loopback and allowed", address)
		}
	}
	for _, address := range []string{"10.0.0.1", "172.31.255.255", "192.168.0.1", "fd00::1", "64:ff9b::a00:1", "2002:a00:1::1"} {
		if (Policy{Loopback: true}).Allows(netip.MustParseAddr(address)) {
			t.Errorf("%s is private", address)
		}
	}
	if (Policy{Loopback: true, Private: true}).Allows(netip.MustParseAddr("64:ff9b::7f00:1")) || (Policy{Loopback: true}).Allows(netip.Addr{}) {
		t.Error("loopback in disguise, or no address at all")
	}
}

func TestCheckURL(t *testing.T) {
	for _, good := range []string{
		"https://mcp.example.com/mcp", "http://mcp.example.com:8080/", "http://10.0.0.1:3000/mcp", "http://127.0.0.1:8470", "http://[::1]:80/", "https://xn--bcher-kva.example/",
		"https://a_b.example.com/", "http://localhost:9000/", "https://1.example.com/",
	} {
		if err := checkText(good); err != nil {
			t.Errorf("%s: %v", good, err)
		}
	}
	for _, bad := range []string{
		"", "/mcp", "//example.com/", "ftp://example.com/", "file:///etc/passwd", "javascript:alert(1)", "gopher://example.com/", "http:example.com", "http://",
		"http://user@example.com/", "http://user:secret@example.com/", "http://example.com@169.254.169.254/", "http://@example.com/",
		"http://127.1/", "http://0177.0.0.1/", "http://0x7f.0.0.1/", "http://0x7f000001/", "http://2130706433/", "http://127.0.0.0x1/", "http://127.0.1/", "http://010.0.0.1/", "http://1.2.3.4.5/",
		"http://example.com./", "http://localhost./", "http://127.0.0.1./", "http://example..com/", "http://.example.com/", "http://-a.example/",
		"http://bücher.example/", "http://ⓔxample.com/", "http://example。com/", "http://exa%6dple.com/", "http://exa mple.com/",
		"http://[::ffff:127.0.0.1]/", "http://[::ffff:7f00:1]/", "http://[fe80::1%25eth0]/", "http://[127.0.0.1]/", "http://[]/", "http://::1/",
		"http://example.com:0/", "http://example.com:25/", "http://example.com:6379/", "http://example.com:65536/", "http://example.com:/", "http://example.com:080/", "http://example.com:+80/",
		"http://" + strings.Repeat("a", 64) + ".example/", "http://" + strings.Repeat("a.", 130) + "example/",
		"http://example.com\\@127.0.0.1/", "http://example.com\t/", "http://example.com\n/",
	} {
		if err := checkText(bad); !errors.Is(err, ErrURL) {
			t.Errorf("%q passes: %v", bad, err)
		}
	}
}

func FuzzCheckURL(f *testing.F) {
	for _, s := range []string{"http://0x7f.1/", "https://example.com:443/x", "http://[::1]/", "http://a@b/", "http://example.com./"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		if checkText(raw) != nil {
			return
		}
		r, err := http.NewRequest(http.MethodGet, raw, nil)
		if err != nil {
			t.Fatalf("%q passes and cannot be asked: %v", raw, err)
		}
		host := r.URL.Hostname()
		if r.URL.User != nil || strings.HasSuffix(host, ".") || strings.ContainsFunc(host, func(c rune) bool { return c > '~' || c <= ' ' }) {
			t.Errorf("%q passes with the host %q", raw, host)
		}
		if ip, err := netip.ParseAddr(host); err == nil && ip.Is4In6() {
			t.Errorf("%q passes", raw)
		}
	})
}

// TestRedirectIsTheAnswer: where an answer points is not asked.
func TestRedirectIsTheAnswer(t *testing.T) {
	asked := 0
	var server *httptest.Server
	server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked++
		http.Redirect(w, r, server.URL+"/elsewhere", http.StatusFound)
	}))
	t.Cleanup(server.Close)
	resp, err := Policy{Loopback: true}.Client(nil).Get(server.URL)
	if err != nil || resp.StatusCode != http.StatusFound || asked != 1 {
		t.Errorf("%v %v, asked %d times", resp, err, asked)
	}
	if err == nil {
		resp.Body.Close()
	}
	if _, err := (Policy{}).Client(nil).Get(server.URL); !errors.Is(err, ErrAddress) {
		t.Errorf("loopback: %v", err)
	}
	if _, err := (Policy{Loopback: true}).Client(nil).Get(strings.Replace(server.URL, "127.0.0.1", "0177.0.0.1", 1)); !errors.Is(err, ErrURL) {
		t.Errorf("octal: %v", err)
	}
}

func checkText(raw string) error {
	u, err := url.Parse(raw)
	if err != nil {
		return refuse("it is malformed")
	}
	return check(u)
}
