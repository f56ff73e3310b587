package audit

// Event is one OCSF 1.8.0 event. Members are written in this order, always;
// later versions only add some. Append fills in Time and Metadata.
type Event struct {
	ClassUID     int    `json:"class_uid"`
	ClassName    string `json:"class_name"`
	CategoryUID  int    `json:"category_uid"`
	CategoryName string `json:"category_name"`
	ActivityID   int    `json:"activity_id"`
	ActivityName string `json:"activity_name"`
	TypeUID      int    `json:"type_uid"` // class_uid * 100 + activity_id
	Time         int64  `json:"time"`     // milliseconds since the Unix epoch
	StartTime    int64  `json:"start_time,omitzero"`
	EndTime      int64  `json:"end_time,omitzero"`
	Duration     int64  `json:"duration,omitzero"` // milliseconds
	Count        int    `json:"count,omitzero"`
	SeverityID   int    `json:"severity_id"`
	Severity     string `json:"severity"`
	StatusID     int    `json:"status_id"`
	Status       string `json:"status"`
	StatusCode   string `json:"status_code,omitzero"` // our closed list of reasons
	Message      string `json:"message"`

	// Profile security_control.
	ActionID      *int   `json:"action_id,omitzero"`
	Action        string `json:"action,omitzero"`
	DispositionID *int   `json:"disposition_id,omitzero"`
	Disposition   string `json:"disposition,omitzero"`
	IsAlert       bool   `json:"is_alert,omitzero"`

	Metadata       Metadata        `json:"metadata"`
	Actor          *Actor          `json:"actor,omitzero"`
	User           *User           `json:"user,omitzero"` // class 3002
	AuthProtocolID int             `json:"auth_protocol_id,omitzero"`
	AuthProtocol   string          `json:"auth_protocol,omitzero"`
	Service        *Named          `json:"service,omitzero"` // class 3002
	API            *API            `json:"api,omitzero"`     // class 6003
	MessageContext *MessageContext `json:"message_context,omitzero"`
	SrcEndpoint    *Endpoint       `json:"src_endpoint,omitzero"`
	Resources      []Resource      `json:"resources,omitzero"`
	Entity         *Entity         `json:"entity,omitzero"`       // class 3004
	FindingInfo    *FindingInfo    `json:"finding_info,omitzero"` // classes 2003, 2004
	Evidences      []Evidence      `json:"evidences,omitzero"`    // classes 2003, 2004
	Compliance     *Compliance     `json:"compliance,omitzero"`   // class 2003
	LogName        string          `json:"log_name,omitzero"`     // class 1008
	Unmapped       *Unmapped       `json:"unmapped,omitzero"`
}

// Metadata is the OCSF object. UID is the audit id that clients are told.
type Metadata struct {
	Version        string   `json:"version"`
	Product        Product  `json:"product"`
	UID            string   `json:"uid"`
	CorrelationUID string   `json:"correlation_uid,omitzero"` // shared by intent, findings and outcome of a call
	EventCode      string   `json:"event_code"`               // the builder's name in snake case
	Profiles       []string `json:"profiles,omitzero"`
	TenantUID      string   `json:"tenant_uid,omitzero"`
	LogName        string   `json:"log_name,omitzero"`
}

// Product is the writer of the event.
type Product struct {
	Name       string `json:"name"`
	VendorName string `json:"vendor_name"`
	Version    string `json:"version,omitzero"`
	Feature    *Named `json:"feature,omitzero"` // which door
}

// Named is an OCSF object of which we know only name, uid and version.
type Named struct {
	Name    string `json:"name,omitzero"`
	UID     string `json:"uid,omitzero"`
	Version string `json:"version,omitzero"`
}

// Actor is who did it: a user, or the program itself.
type Actor struct {
	User    *User  `json:"user,omitzero"`
	AppName string `json:"app_name,omitzero"`
}

// User is a principal; CredentialUID is the public id of its key.
type User struct {
	Name          string `json:"name,omitzero"`
	UID           string `json:"uid,omitzero"`
	TypeID        int    `json:"type_id"`
	Type          string `json:"type"`
	CredentialUID string `json:"credential_uid,omitzero"`
}

// API is the operation that was asked for.
type API struct {
	Operation string       `json:"operation"` // the MCP method
	Service   *Named       `json:"service,omitzero"`
	Version   string       `json:"version,omitzero"` // MCP protocol version
	Request   *APIRequest  `json:"request,omitzero"`
	Response  *APIResponse `json:"response,omitzero"`
}

// APIRequest names the request by our id; what it said is a digest in Unmapped.
type APIRequest struct {
	UID string `json:"uid"`
}

// APIResponse carries the JSON-RPC error code, if there was one.
type APIResponse struct {
	Code int `json:"code"`
}

// MessageContext is the profile ai_operation's object.
type MessageContext struct {
	AIRoleID int    `json:"ai_role_id"`
	AIRole   string `json:"ai_role"`
	Service  *Named `json:"service"`
}

// Endpoint is where a request came from.
type Endpoint struct {
	IP      string `json:"ip,omitzero"`
	Port    int    `json:"port,omitzero"`
	SvcName string `json:"svc_name,omitzero"`
}

// Resource is what the act was about: a server, a tool, a prompt, a resource.
type Resource struct {
	Name    string `json:"name,omitzero"`
	UID     string `json:"uid,omitzero"`
	Type    string `json:"type"`
	Version string `json:"version,omitzero"`
	RoleID  int    `json:"role_id"`
	Role    string `json:"role"`
}

// Entity is what the registry changed.
type Entity struct {
	Name    string `json:"name,omitzero"`
	UID     string `json:"uid,omitzero"`
	Type    string `json:"type"`
	Version string `json:"version,omitzero"`
}

// FindingInfo heads a finding. Title is host-owned text.
type FindingInfo struct {
	UID   string   `json:"uid"`
	Title string   `json:"title"`
	Types []string `json:"types,omitzero"`
}

// Evidence says, in a finding, whose act it was about. The finding classes have
// neither actor nor src_endpoint of their own.
type Evidence struct {
	Actor       *Actor    `json:"actor"`
	SrcEndpoint *Endpoint `json:"src_endpoint"`
}

// Compliance is the checklist of a review.
type Compliance struct {
	Standards []string `json:"standards"`
	Control   string   `json:"control"`
	StatusID  int      `json:"status_id"`
	Status    string   `json:"status"`
	Checks    []Check  `json:"checks,omitzero"`
}

// Check is one checklist item; UID is its code.
type Check struct {
	Name     string `json:"name"`
	UID      string `json:"uid"`
	StatusID int    `json:"status_id"`
	Status   string `json:"status"`
}

// Unmapped is what OCSF has no attribute for. All of it is ours: ids, codes,
// digests and sizes.
type Unmapped struct {
	Stage       string    `json:"stage,omitzero"` // intent, outcome
	Result      Result    `json:"result,omitzero"`
	Tenant      string    `json:"tenant,omitzero"`
	Alias       string    `json:"alias,omitzero"`
	Approval    string    `json:"approval,omitzero"` // digest of the approval bundle
	Phase       string    `json:"phase,omitzero"`
	Verdict     string    `json:"verdict,omitzero"`
	Rules       []string  `json:"rules,omitzero"`
	Pointers    []string  `json:"pointers,omitzero"`
	Findings    []Finding `json:"findings,omitzero"`
	Failures    []Failure `json:"failures,omitzero"`
	Unexamined  bool      `json:"unexamined,omitzero"`
	Flow        []FlowHit `json:"flow,omitzero"`
	Request     *Payload  `json:"request,omitzero"`
	Response    *Payload  `json:"response,omitzero"`
	Listing     *Counts   `json:"listing,omitzero"`
	State       string    `json:"state,omitzero"`
	Reasons     []string  `json:"reasons,omitzero"`
	Review      string    `json:"review,omitzero"`
	Subject     string    `json:"subject,omitzero"` // review subject digest
	OldDigest   string    `json:"old_digest,omitzero"`
	NewDigest   string    `json:"new_digest,omitzero"`
	Item        string    `json:"item,omitzero"` // checklist item
	Answer      string    `json:"answer,omitzero"`
	Vote        *Vote     `json:"vote,omitzero"`
	Waiver      *Waiver   `json:"waiver,omitzero"`
	Roles       []string  `json:"roles,omitzero"`
	Namespaces  []string  `json:"namespaces,omitzero"`
	Expires     int64     `json:"expires,omitzero"`     // milliseconds
	Option      string    `json:"option,omitzero"`      // the Unsafe option used
	Prefix      string    `json:"prefix,omitzero"`      // address prefix of aggregated refusals
	Sequence    uint64    `json:"sequence,omitzero"`    // of a snapshot
	ScannersIn  []Scanner `json:"scanners_in,omitzero"` // modules that came into force
	ScannersOut []Scanner `json:"scanners_out,omitzero"`
	Ends        int       `json:"ends,omitzero"`       // early ends of a local server in a row
	Strikes     int       `json:"strikes,omitzero"`    // blocked messages of a server
	Principals  int       `json:"principals,omitzero"` // to whom they were on their way
	Segment     *Segment  `json:"segment,omitzero"`
	Truncated   bool      `json:"truncated,omitzero"` // a list or text above was cut to its bound
}

// Payload identifies bytes without holding them.
type Payload struct {
	Digest string `json:"digest,omitzero"` // "sha256:" + hex
	Bytes  int64  `json:"bytes"`
}

// Counts sums a listing up as the client saw it.
type Counts struct {
	Served int    `json:"served"`
	Hidden int    `json:"hidden"` // held or not approved
	Root   string `json:"root,omitzero"`
}

// Finding is what a scanner found, without its message or the text it stands in.
type Finding struct {
	Scanner    string   `json:"scanner,omitzero"`
	Rule       string   `json:"rule"`
	Family     string   `json:"family,omitzero"`
	Severity   string   `json:"severity,omitzero"` // info, low, medium, high, critical
	Confidence float64  `json:"confidence,omitzero"`
	Action     string   `json:"action,omitzero"`
	Pointer    string   `json:"pointer,omitzero"`
	Taxonomy   []string `json:"taxonomy,omitzero"`
}

// Scanner is a module as it is in force.
type Scanner struct {
	Name    string `json:"name"`
	Version string `json:"version"`
	Digest  string `json:"digest"`
}

// Failure is a scanner that could not answer.
type Failure struct {
	Scanner string `json:"scanner"`
	Digest  string `json:"digest,omitzero"`  // of its module
	Kind    string `json:"kind"`             // refused, trap, fuel, deadline, memory, depth, output
	Detail  string `json:"detail,omitzero"`  // why, in the words of the host: nothing of the message, nothing that a scanner wrote
	Skipped bool   `json:"skipped,omitzero"` // not called: it had failed too often for this caller
}

// Vote is one reviewer's decision.
type Vote struct {
	Decision string `json:"decision"`
	KeyID    string `json:"key_id,omitzero"`
	Session  bool   `json:"session,omitzero"` // cast without a key
}

// Waiver is one accepted finding.
type Waiver struct {
	Rule    string `json:"rule"`
	Pointer string `json:"pointer"`
	Leaf    string `json:"leaf"`
	Expires int64  `json:"expires"` // milliseconds
}

// Segment heads a file of the log.
type Segment struct {
	Number  int      `json:"number"`
	Carried int      `json:"carried"`          // calls in flight when it began
	Pending []string `json:"pending,omitzero"` // their ids; left out where there are too many
}
