package checklist

import (
	"fmt"
	"slices"
	"strings"

	"github.com/bartizan-mcp/bartizan/internal/admission"
)

var sourceRules = []rule{
	{"SRC-1", "A signer of the namespace signed this version", signed},
	{"SRC-2", "The signature speaks of the stored bytes", digestMatches},
	{"SRC-3", "The publisher may publish into the namespace", ownsNamespace},
	{"SRC-4", "All dependencies are known (SBOM complete)", dependenciesKnown},
	{"SRC-5", "Every component states a licence", licencesKnown},
	{"SRC-6", "Source code or documentation is linked", documented},
	{"SRC-7", "The publisher is reputable, with security documentation and contact", nil},
	{"SRC-8", "The security incident history holds no known vulnerability at or above the limit", incidents},
	{"SRC-9", "Every component's licence is allowed", licencesAllowed},
	{"SRC-10", "Signed provenance names the declared source repository", originProven},
}

func signed(f *Facts) outcome {
	facts := map[string]any{"bundles": f.Bundles, "signers": f.Signers, "problems": f.SignatureReason}
	if len(f.Signers) == 0 {
		return fail("no bundle verifies against the namespace's signers", facts).on(facts)
	}
	who := f.Signers[0].Subject
	if who == "" {
		who = "key " + f.Signers[0].KeyID
	}
	return pass("signed by "+who, facts).on(facts)
}

func digestMatches(f *Facts) outcome {
	facts := map[string]any{"digest": f.Signed, "artifact": f.Artifact != "", "signers": f.Signers}
	i := slices.IndexFunc(f.SignatureReason, func(r admission.Reason) bool { return r.Code == admission.ReasonDigestMismatch })
	if i >= 0 && f.SignatureReason[i].Cause == admission.CauseFileSHA256 {
		return fail(f.SignatureReason[i].Detail, facts).on(facts)
	}
	if i >= 0 || len(f.Signers) == 0 {
		return fail("no verified signature names "+f.Signed, facts).on(facts)
	}
	return pass("subject equals "+f.Signed, facts).on(facts)
}

func ownsNamespace(f *Facts) outcome {
	ns := f.Document.Namespace()
	// The edge refuses everyone else; the evidence records by what right.
	return pass(f.Publisher+" holds a key for "+ns, map[string]any{"publisher": f.Publisher, "namespace": ns, "keyNamespaces": f.Namespaces})
}

func dependenciesKnown(f *Facts) outcome {
	if f.Artifact == "" && f.Binding == "endpoint" {
		return notNeeded("a remote endpoint without an artifact: its code is neither bound nor catalogued")
	}
	facts := map[string]any{"sbom": f.SBOM.Digest, "components": f.SBOM.Components, "complete": f.SBOM.Complete, "reasons": f.SBOM.Reasons}
	note := ""
	if len(f.SBOM.Resolved) > 0 { // today's newest, not what the authors tested with
		facts["resolvedByPublisher"] = f.SBOM.Resolved
		note = "; resolved by the publisher's tool, not locked by the authors: " + strings.Join(f.SBOM.Resolved, ", ")
	}
	if !f.SBOM.Complete {
		return fail("the SBOM is incomplete"+note, facts)
	}
	return pass(fmt.Sprintf("%d components%s", f.SBOM.Components, note), facts)
}

func licencesKnown(f *Facts) outcome {
	if f.Artifact == "" && f.Binding == "endpoint" {
		return notNeeded("a remote endpoint without an artifact: no components are known")
	}
	facts := map[string]any{"sbom": f.SBOM.Digest, "components": f.SBOM.Components, "withoutLicence": f.SBOM.Unlicensed}
	if f.SBOM.Components == 0 && !f.SBOM.Complete {
		return unmeasured("no components could be read")
	}
	return verdict(f.SBOM.Unlicensed, "every component states a licence", "components without a licence", facts)
}

func documented(f *Facts) outcome {
	links := map[string]string{}
	if f.Document.Repository != nil {
		links["repository"] = f.Document.Repository.URL
	}
	if f.Document.WebsiteURL != "" {
		links["website"] = f.Document.WebsiteURL
	}
	if len(links) == 0 {
		return fail("neither repository nor websiteUrl in server.json", links)
	}
	return pass("linked; the links were not opened", links)
}
