package egress

import (
	"errors"
	"net"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"

	"golang.org/x/net/dns/dnsmessage"

	"github.com/bartizan-mcp/bartizan/internal/fixture/nameserver"
)

// zone answers every question for an address with what answer says.
func zone(t *testing.T, answer func(asked int64) netip.Addr) (*net.Resolver, *atomic.Int64) {
	t.Helper()
	asked := new(atomic.Int64)
	_, resolver := nameserver.Start(t, func(_ string, kind dnsmessage.Type) ([]dnsmessage.ResourceBody, bool) {
		switch ip := answer(asked.Add(1)); {
		case ip.Is4() && kind == dnsmessage.TypeA:
			return []dnsmessage.ResourceBody{&dnsmessage.AResource{A: ip.As4()}}, true
		case ip.Is6() && kind == dnsmessage.TypeAAAA:
			return []dnsmessage.ResourceBody{&dnsmessage.AAAAResource{AAAA: ip.As16()}}, true
		}
		return nil, true
	})
	return resolver, asked
}

// TestNamesOfForbiddenAddresses asks for names that lead where no URL may.
func TestNamesOfForbiddenAddresses(t *testing.T) {
	for _, address := range []string{"169.254.169.254", "127.0.0.1", "100.100.100.200", "0.0.0.0", "10.0.0.1", "::1", "64:ff9b::a9fe:a9fe", "2002:a9fe:a9fe::1", "fec0::1", "fe80::1", "fd00:ec2::254"} {
		resolver, asked := zone(t, func(int64) netip.Addr { return netip.MustParseAddr(address) })
		_, err := Policy{}.Client(resolver).Get("http://metadata.attacker.example/latest/meta-data")
		if !errors.Is(err, ErrAddress) || asked.Load() == 0 {
			t.Errorf("%s: %v after %d questions", address, err, asked.Load())
		}
		if err != nil && strings.Contains(err.Error(), "meta-data") && !strings.Contains(err.Error(), ErrAddress.Error()) {
			t.Errorf("%s: %v", address, err)
		}
	}
}

// TestRebinding: the first answer is a public address, every later one is this
// machine. However the answers fall, no byte reaches the listener.
func TestRebinding(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	reached := new(atomic.Int64)
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			reached.Add(1)
			conn.Close()
		}
	}()
	_, port, _ := net.SplitHostPort(listener.Addr().String())
	for first := range int64(3) {
		resolver, asked := zone(t, func(n int64) netip.Addr {
			if n <= first {
				return netip.MustParseAddr("192.0.2.1") // documentation: refused too, so that the test needs no network
			}
			return netip.MustParseAddr("127.0.0.1")
		})
		client := Policy{Private: true}.Client(resolver)
		for range 3 {
			if _, err := client.Get("http://rebinding.attacker.example:" + port + "/"); !errors.Is(err, ErrAddress) {
				t.Errorf("%d: %v", first, err)
			}
		}
		if asked.Load() < 3 {
			t.Errorf("%d: an answer that lives for 0 s was kept", first)
		}
	}
	if n := reached.Load(); n != 0 {
		t.Errorf("%d connections reached the listener", n)
	}
}

// TestOtherNetworks: the dialer is for TCP.
func TestOtherNetworks(t *testing.T) {
	for _, network := range []string{"udp", "unix"} {
		if conn, err := (Policy{Loopback: true}).Dialer(nil).DialContext(t.Context(), network, "127.0.0.1:9999"); !errors.Is(err, ErrAddress) {
			t.Errorf("%s: %v", network, err)
			if conn != nil {
				conn.Close()
			}
		}
	}
}
