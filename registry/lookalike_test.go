package registry

import (
	"fmt"
	"strings"
	"testing"

	"github.com/bartizan-mcp/bartizan/internal/admission"
	"github.com/bartizan-mcp/bartizan/internal/identity"
)

func TestLookAlike(t *testing.T) {
	for _, pair := range [][2]string{
		{"io.github.acme", "io.github.acne"}, {"io.github.acme", "io.github.acmee"}, {"io.github.acme", "io.github.amce"},
		{"io.github.Acme", "io.github.acme"}, {"io.github.acme", "io.github.ac-me"}, {"com.paypal", "com.paypa1"}, {"com.paypal", "com.paypaI"}, {"com.modern", "com.rnodern"},
		{"com.wave", "com.vvave"}, {"com.cloud", "com.doud"}, {"com.acme.tools", "com.acmetools"}, {"com.google", "com.g00gle"}, {"com.example", "corn.example"},
	} {
		if !lookAlike(pair[0], pair[1]) || !lookAlike(pair[1], pair[0]) {
			t.Errorf("%s and %s", pair[0], pair[1])
		}
	}
	for _, pair := range [][2]string{
		{"io.github.acme", "io.github.contoso"}, {"io.github.ab", "io.github.ac"}, {"com.acme", "net.acme"}, {"com.acme", "com.acme.tools"}, {"com.acme.a", "com.acme.b"},
		{"io.github.acme", "io.gitlab.acme"}, {"io.github.acme", "io.github.acmeco"}, {"io.github.modelcontextprotocol", "io.github.modelcontext"},
	} {
		if lookAlike(pair[0], pair[1]) || lookAlike(pair[1], pair[0]) {
			t.Errorf("%s and %s are told apart", pair[0], pair[1])
		}
	}
}

// TestSquatting: a namespace that looks like an approved server's waits for
// people, signed or not, whoever proved it; its owner's servers go on.
func TestSquatting(t *testing.T) {
	h := newHouse(t)
	squatter := origin("default", "dns:acne.example", identity.RolePublisher)
	squatter.Caller.Namespaces = []string{"io.github.acne", "io.github.contoso"}
	for _, ns := range squatter.Caller.Namespaces {
		_, err := h.AddSigner(t.Context(), admin, admission.NamespaceSigner{Namespace: ns, PublicKey: string(h.publisher.Public().PEM())})
		h.must(err)
	}
	under := func(namespace, version string, signed bool) *admission.Version {
		t.Helper()
		sub := h.submission("weather", version, h.publisher)
		sub.ServerJSON = []byte(strings.ReplaceAll(string(sub.ServerJSON), "io.github.acme/weather", namespace+"/weather"))
		sub.Options.Alias = fmt.Sprint("w", strings.ReplaceAll(namespace, ".", "")[8:])
		if !signed {
			sub.Bundles = nil
		}
		v, err := h.Publish(t.Context(), squatter, sub)
		h.must(err)
		return v
	}
	// Nobody is known yet: the first is nobody's double.
	if v := under("io.github.acne", "0.1.0", true); v.State != admission.InReview {
		t.Errorf("%s %s", v.State, reasons(v))
	}
	h.approve(h.publish("weather", "1.0.0"))
	first := under("io.github.acne", "1.0.0", true)
	if first.State != admission.Quarantined || reasons(first) != admission.ReasonLookalikeNamespace || !strings.Contains(first.Reasons[0].Detail, "io.github.acme") {
		t.Fatalf("%s %+v", first.State, first.Reasons)
	}
	unsigned := under("io.github.acne", "1.0.1", false)
	if reasons(unsigned) != "unsigned lookalike_namespace" {
		t.Errorf("%s", reasons(unsigned))
	}
	attached, err := h.Attach(t.Context(), squatter, unsigned.Name, unsigned.Version, [][]byte{h.sign(h.publisher, hexDigest(unsigned.Artifact))})
	h.must(err)
	if attached.State != admission.Quarantined || reasons(attached) != admission.ReasonLookalikeNamespace {
		t.Errorf("a signature argued with a reader's eyes: %s %s", attached.State, reasons(attached))
	}
	if v := under("io.github.contoso", "1.0.0", true); v.State != admission.InReview {
		t.Errorf("%s %s", v.State, reasons(v))
	}
	if v := h.publish("weather", "1.1.0"); v.State != admission.InReview {
		t.Errorf("the owner's next: %s %s", v.State, reasons(v))
	}
	released, err := h.Release(t.Context(), bob, first.Name, first.Version, "another company of that name")
	h.must(err)
	h.approve(released)
	if v := under("io.github.acne", "1.2.0", true); v.State != admission.InReview {
		t.Errorf("known by now: %s %s", v.State, reasons(v))
	}
	// Nobody's namespace is published under by a key that does not cover it.
	stranger := origin("default", "eve", identity.RolePublisher)
	stranger.Caller.Namespaces = nil
	_, err = h.Publish(t.Context(), stranger, h.submission("weather", "3.0.0", h.publisher))
	wantRefusal(t, err, ErrForbidden, RefusedNamespace)
}
