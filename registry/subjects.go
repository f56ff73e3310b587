package registry

import (
	"strings"

	"github.com/anchore/packageurl-go"

	"github.com/bartizan-mcp/bartizan/internal/attest"
	"github.com/bartizan-mcp/bartizan/internal/provenance"
	"github.com/bartizan-mcp/bartizan/registry/serverjson"
)

// serverSubject is what `bartizan publish` calls server.json in its statement.
const serverSubject = "server.json"

// admits reports whether a statement of this type is about a publication. A
// signer's word on anything else (a vote, a scan, a test result) admits nothing.
func admits(predicateType string) bool {
	return predicateType == attest.PredicatePublish || provenance.Understands(predicateType) ||
		predicateType == predicateCycloneDX || strings.HasPrefix(predicateType, predicateCycloneDX+"/v")
}

// isAbout refuses a bundle that is about the stored bytes, but as something
// else: another server.json, another package or another version of it. So an
// old artifact does not come back as a new version with its old signature.
func isAbout(v *attest.Verified, doc *serverjson.Document, serverJSON string) error {
	if v.Statement == nil {
		return nil // a signature over the bytes alone says nothing more
	}
	if !admits(v.Statement.PredicateType) {
		return attest.Refuse(attest.ReasonPredicateType, "a statement of type %q", v.Statement.PredicateType)
	}
	for _, s := range v.Statement.Subjects {
		if s.Name == serverSubject && v.Statement.PredicateType == attest.PredicatePublish && s.Digest["sha256"] != serverJSON {
			return attest.Refuse(attest.ReasonSubject, "it was signed with another server.json")
		}
		if !strings.HasPrefix(s.Name, "pkg:") {
			continue
		}
		u, err := packageurl.FromString(s.Name)
		if err != nil {
			return attest.Refuse(attest.ReasonSubject, "its subject is no package URL")
		}
		name := u.Name
		if u.Namespace != "" {
			name = u.Namespace + "/" + u.Name
		}
		if !declares(doc, u.Type, name, u.Version) {
			return attest.Refuse(attest.ReasonSubject, "server.json does not declare its package and version")
		}
	}
	if p := v.Provenance; p != nil && p.Package != "" && !declares(doc, packageurl.TypeNPM, p.Package, p.Version) {
		return attest.Refuse(attest.ReasonSubject, "server.json does not declare its package and version")
	}
	return nil
}

// declares reports whether server.json names the package. One that names no
// packages at all has nothing to contradict.
func declares(doc *serverjson.Document, kind, name, version string) bool {
	for _, p := range doc.Packages {
		if p.RegistryType == kind && p.Identifier == name && (version == "" || p.Version == version) {
			return true
		}
	}
	return len(doc.Packages) == 0
}
