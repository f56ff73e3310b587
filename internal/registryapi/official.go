package registryapi

import (
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/bartizan-mcp/bartizan/internal/admission"
)

// Official registry API v0.1 (modelcontextprotocol/registry, docs/reference/api).
type (
	ServerList struct {
		Servers  []ServerResponse `json:"servers"`
		Metadata ListMetadata     `json:"metadata"`
	}
	ServerResponse struct {
		Server jsontext.Value `json:"server"` // server.json as it came
		Meta   ServerMeta     `json:"_meta"`
	}
	ServerMeta struct {
		Official *OfficialMeta `json:"io.modelcontextprotocol.registry/official,omitzero"`
		// Bartizan says where a publication stands that is not public yet.
		Bartizan *BartizanMeta `json:"io.github.bartizan-mcp/publication,omitzero"`
	}
	OfficialMeta struct {
		Status          admission.Status `json:"status"`
		StatusChangedAt time.Time        `json:"statusChangedAt"`
		StatusMessage   string           `json:"statusMessage,omitzero"`
		PublishedAt     time.Time        `json:"publishedAt"`
		UpdatedAt       time.Time        `json:"updatedAt"`
		IsLatest        bool             `json:"isLatest"`
	}
	BartizanMeta struct {
		State   admission.State    `json:"state"`
		Reasons []admission.Reason `json:"reasons"`
		Review  string             `json:"review"`
	}
	ListMetadata struct {
		NextCursor string `json:"nextCursor,omitzero"`
		Count      int    `json:"count"`
	}
	// NewStatus is the body that changes a status.
	NewStatus struct {
		Status        admission.Status `json:"status"`
		StatusMessage *string          `json:"statusMessage,omitzero"`
	}
	// ChangedStatuses answers a change of all versions.
	ChangedStatuses struct {
		UpdatedCount int              `json:"updatedCount"`
		Servers      []ServerResponse `json:"servers"`
	}
	Validation struct {
		Valid  bool              `json:"valid"`
		Issues []ValidationIssue `json:"issues"`
	}
	ValidationIssue struct {
		Type      string `json:"type"` // schema
		Path      string `json:"path"` // packages[0].transport.url
		Message   string `json:"message"`
		Severity  string `json:"severity"`  // error
		Reference string `json:"reference"` // JSON Pointer of the same place
	}
	// SignedTime is a proof of a domain: an RFC 3339 time and its signature in hex.
	SignedTime struct {
		Domain          string `json:"domain"`
		Timestamp       string `json:"timestamp"`
		SignedTimestamp string `json:"signed_timestamp"`
	}
	ProviderToken struct {
		OIDCToken string `json:"oidc_token"`
	}
	// RegistryToken is a publisher's key, shown once.
	RegistryToken struct {
		RegistryToken string `json:"registry_token"`
		ExpiresAt     int64  `json:"expires_at"` // Unix seconds
	}
	OfficialHealth struct {
		Status string `json:"status"`
	}
	Pong struct {
		Pong bool `json:"pong"`
	}
	OfficialVersion struct {
		Version   string `json:"version"`
		GitCommit string `json:"git_commit"`
		BuildTime string `json:"build_time"`
	}
)
