package sbom

import "strings"

// Names of the properties that Bartizan writes. docs/sbom.md explains each.
const (
	propCompleteness = "bartizan:sbom:completeness"
	propReason       = "bartizan:sbom:incomplete:reason"
	propResolved     = "bartizan:sbom:resolved"
	propManifest     = "bartizan:sbom:manifest:purl"
	propDevelopment  = "bartizan:npm:development"
	propBundled      = "bartizan:npm:bundled"
	propSource       = "bartizan:npm:source"
	propPySource     = "bartizan:pypi:source"
	propImage        = "bartizan:oci:image"
	propCrateDev     = "bartizan:cargo:development"
	propCrateSource  = "bartizan:cargo:source"
	propBundleType   = "bartizan:mcpb:server:type"
	propBundleEntry  = "bartizan:mcpb:entry:point"
	propPyDev        = "bartizan:pypi:development"
	propPyCondition  = "bartizan:pypi:conditional"
	propPyMarker     = "bartizan:pypi:marker"
	propReplaces     = "bartizan:go:replaces"
	propModuleSum    = "bartizan:go:sum"

	propMCPKind     = "bartizan:mcp:kind"
	propMCPEra      = "bartizan:mcp:era"
	propMCPProtocol = "bartizan:mcp:protocol"
	propMCPRoot     = "bartizan:mcp:listing:root"
	propMCPScope    = "bartizan:mcp:scope"
	propMCPAlg      = "bartizan:mcp:fingerprint:alg"

	propMCPTransport   = "bartizan:mcp:transport"
	propMCPDefinitions = "bartizan:mcp:definitions:sha256"
	propMCPOAuth       = "bartizan:mcp:oauth:scope"
	propMCPNetwork     = "bartizan:mcp:capability:networkEgress"
	propMCPFiles       = "bartizan:mcp:capability:filesystem"
	propMCPExec        = "bartizan:mcp:capability:exec"
	propMCPEnv         = "bartizan:mcp:capability:env"

	propTLS = "bartizan:mcp:tls:" // version, cipher, certificate:<n>:<what>
)

// fingerprintAlg names docs/spec/fingerprint.md, version 1.
const fingerprintAlg = "bartizan.fingerprint.v1"

// propFingerprint names the behavioural or whole fingerprint of a kind of entry:
// bartizan:mcp:tool:fingerprint, bartizan:mcp:tool:fingerprint:whole.
func propFingerprint(kind string, whole bool) string {
	name := "bartizan:mcp:" + kind + ":fingerprint"
	if whole {
		name += ":whole"
	}
	return name
}

// fingerprintOf tells what a property name of propFingerprint stands for.
func isFingerprint(name string) (behavioural, whole bool) {
	if !strings.HasPrefix(name, "bartizan:mcp:") {
		return false, false
	}
	return strings.HasSuffix(name, ":fingerprint"), strings.HasSuffix(name, ":fingerprint:whole")
}
