// Package config is the one place where Bartizan's settings, their defaults
// and their checks stand. A value comes from a flag, else from an environment
// variable BARTIZAN_*, else from the YAML file, else from Default; which of
// the four it was can be shown. It knows nothing of what the settings do.
package config

import (
	"errors"
	"fmt"
	"maps"
	"net"
	"net/url"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"
	_ "time/tzdata" // machines without a database of time zones

	"github.com/bartizan-mcp/bartizan/internal/approval"
	"github.com/bartizan-mcp/bartizan/internal/protocol"
)

// Config is everything that an operator can set.
type Config struct {
	// Data is the folder that holds all state, owner-only.
	Data string `json:"data"`
	// Tenant of a single-tenant installation.
	Tenant string `json:"tenant"`
	// LogLevel is debug, info, warn or error.
	LogLevel string   `json:"logLevel"`
	Audit    Audit    `json:"audit"`
	Registry Registry `json:"registry"`
	Gateway  Gateway  `json:"gateway"`
	Tracing  Tracing  `json:"tracing"`
	Scanners Scanners `json:"scanners"`
}

// Audit says where the durable event log goes.
type Audit struct {
	// Path is a folder, or an existing device or pipe that takes the events.
	// Empty means Data/audit.
	Path string `json:"path"`
}

// Registry is door 1.
type Registry struct {
	Addr        string `json:"addr"`
	PublicReads bool   `json:"publicReads"`
	// TrustedRoot is a Sigstore trusted_root.json; without one no certificate
	// identity is accepted, only registered keys.
	TrustedRoot string `json:"trustedRoot"`
	// Signer is the Unix socket of a separate signer (bartizan key signer);
	// without one the keys lie under Data.
	Signer string `json:"signer"`
	// Ownership is how namespaces are proven.
	Ownership Ownership `json:"ownership"`
	// Vulnerabilities, Licences and Rescan are about the components of servers.
	Vulnerabilities Vulnerabilities `json:"vulnerabilities"`
	Licences        Licences        `json:"licences"`
	Rescan          Rescan          `json:"rescan"`
	// Probe is how local servers are started in isolation.
	Probe Probe `json:"probe"`
}

// Gateway is door 2.
type Gateway struct {
	Addr string `json:"addr"`
	// AutoRoutes serves every approved server under its approved alias.
	AutoRoutes bool     `json:"autoRoutes"`
	Servers    []Server `json:"servers"`
	// MinBinding is the weakest binding admitted: endpoint, command, pinned or artifact.
	MinBinding string `json:"minBinding"`
	// BlockStatus is the HTTP status of a blocked call: 403 or 200.
	BlockStatus   int           `json:"blockStatus"`
	SnapshotGrace time.Duration `json:"snapshotGrace"`
	// UnsafeRun starts local servers without a sandbox; audited.
	UnsafeRun bool `json:"unsafeRun"`
	// DrainGrace is how long calls under way may go on after SIGTERM.
	DrainGrace time.Duration `json:"drainGrace"`
	// MergePatience is how long a list of all servers waits for one of them.
	MergePatience time.Duration `json:"mergePatience"`
	// Upstream bounds how long a server may take.
	Upstream Upstream `json:"upstream"`
	// Strikes is about servers that keep saying what is blocked.
	Strikes Strikes `json:"strikes"`
	// Local bounds each local server.
	Local Local `json:"local"`
	// Policies is a Cedar file, or a folder of *.cedar; without one whatever was
	// approved is permitted.
	Policies string `json:"policies"`
	// TimeZone is that of the hours and weekdays in them, as in "Europe/Vienna".
	TimeZone string `json:"timeZone"`
	// UnsafePlaintext listens beyond loopback without TLS; audited.
	UnsafePlaintext bool   `json:"unsafePlaintext"`
	TLSCert         string `json:"tlsCert"`
	TLSKey          string `json:"tlsKey"`
	// RegistryURL, Token and Trust belong to bartizan-gateway, which follows
	// a remote registry.
	RegistryURL string `json:"registryURL"`
	Token       string `json:"token"`
	Trust       string `json:"trust"`
}

// Upstream is the patience with a server that answers slowly or not at all.
type Upstream struct {
	// CallTimeout is for an answer to begin, and for a single body to end.
	CallTimeout time.Duration `json:"callTimeout"`
	// SilenceTimeout is between two messages of one answer.
	SilenceTimeout time.Duration `json:"silenceTimeout"`
	// AnswerTimeout is for the whole answer to one message.
	AnswerTimeout time.Duration `json:"answerTimeout"`
	// Roots is a PEM file of the only authorities that servers over TLS are
	// verified by; empty: the system's.
	Roots string `json:"roots"`
}

// Strikes of a server are its messages that scanners blocked.
type Strikes struct {
	// Limit of strikes within Window; from then on it is on record.
	Limit  int           `json:"limit"`
	Window time.Duration `json:"window"`
	// Suspend is how long the server is then called by nobody; 0 suspends none.
	Suspend time.Duration `json:"suspend"`
}

// maxStrikes bounds what is remembered of one server.
const maxStrikes = 100

func (s Strikes) validate() []error {
	var problems []error
	if s.Limit < 2 || s.Limit > maxStrikes {
		problems = append(problems, fmt.Errorf("gateway.strikes.limit: %d is not within 2 and %d", s.Limit, maxStrikes))
	}
	if s.Window < time.Second || s.Window > 24*time.Hour {
		problems = append(problems, fmt.Errorf("gateway.strikes.window: %v is not within 1s and 24h", s.Window))
	}
	if s.Suspend < 0 || s.Suspend > 7*24*time.Hour {
		problems = append(problems, fmt.Errorf("gateway.strikes.suspend: %v is not within 0 and 168h", s.Suspend))
	}
	return problems
}

// Local is what each process of a local server may use; 0 is no limit.
type Local struct {
	MemoryBytes  int           `json:"memoryBytes"`
	AddressBytes int           `json:"addressBytes"`
	CPUTime      time.Duration `json:"cpuTime"`
	OpenFiles    int           `json:"openFiles"`
	Processes    int           `json:"processes"`
}

// Server is one upstream, where the approval's own launch is not enough.
type Server struct {
	Alias  string `json:"alias"`
	Server string `json:"server"`
	URL    string `json:"url"`
	// Transport of URL: streamable-http, which is the default, or sse.
	Transport string `json:"transport"`
	// Pin is who must answer at URL, as approved.
	Pin string `json:"pin"`
	// MinBinding is a stronger minimum than the gateway's for this server.
	MinBinding string            `json:"minBinding"`
	Command    []string          `json:"command"`
	Dir        string            `json:"dir"`
	Env        map[string]string `json:"env"`
	Headers    map[string]string `json:"headers"`
}

// TransportHTTP is what an upstream over HTTP speaks unless its Transport says
// otherwise.
const TransportHTTP = "streamable-http"

// Default is the one place of the defaults.
func Default() Config {
	return Config{
		Tenant:   "default",
		LogLevel: "info",
		Registry: Registry{Addr: "127.0.0.1:8470", Probe: defaultProbe(), Vulnerabilities: defaultVulnerabilities, Ownership: Ownership{KeyLife: time.Hour}},
		Gateway: Gateway{
			Addr:          "127.0.0.1:8471",
			AutoRoutes:    true,
			MinBinding:    "endpoint",
			TimeZone:      "UTC",
			BlockStatus:   403,
			SnapshotGrace: 10 * time.Minute,
			DrainGrace:    30 * time.Second,
			MergePatience: 5 * time.Second,
			Upstream:      Upstream{CallTimeout: time.Minute, SilenceTimeout: 5 * time.Minute, AnswerTimeout: 15 * time.Minute},
			Strikes:       Strikes{Limit: 20, Window: 10 * time.Minute},
			Local:         Local{MemoryBytes: 2 << 30, AddressBytes: 64 << 30, OpenFiles: 1024, Processes: 256},
		},
		Tracing:  Tracing{SampleRatio: 1},
		Scanners: Scanners{Mode: Enforce},
	}
}

// AuditPath is where the events go.
func (c Config) AuditPath() string {
	if c.Audit.Path != "" {
		return c.Audit.Path
	}
	return filepath.Join(c.Data, "audit")
}

var aliasPattern = regexp.MustCompile(`^[a-z0-9-]{1,20}$`)

// Validate reports every problem at once.
func (c Config) Validate() error {
	var problems []error
	bad := func(format string, args ...any) { problems = append(problems, fmt.Errorf(format, args...)) }
	oneOf := func(key, value string, allowed ...string) {
		if !slices.Contains(allowed, value) {
			bad("%s: %q is none of %v", key, value, allowed)
		}
	}
	if c.Data == "" {
		bad("data: a folder is needed")
	}
	if c.Tenant == "" {
		bad("tenant: must not be empty")
	}
	oneOf("logLevel", c.LogLevel, "debug", "info", "warn", "error")
	oneOf("gateway.minBinding", c.Gateway.MinBinding, "endpoint", "command", "pinned", "artifact")
	if c.Gateway.BlockStatus != 403 && c.Gateway.BlockStatus != 200 {
		bad("gateway.blockStatus: %d is neither 403 nor 200", c.Gateway.BlockStatus)
	}
	if c.Gateway.SnapshotGrace < 0 || c.Gateway.SnapshotGrace > 24*time.Hour {
		bad("gateway.snapshotGrace: %v is not within 0 and 24h", c.Gateway.SnapshotGrace)
	}
	if _, err := time.LoadLocation(c.Gateway.TimeZone); err != nil || c.Gateway.TimeZone == "" {
		bad("gateway.timeZone: %q is no time zone of the IANA database", c.Gateway.TimeZone)
	}
	if c.Gateway.DrainGrace <= 0 || c.Gateway.DrainGrace > time.Hour {
		bad("gateway.drainGrace: %v is not within 0 and 1h", c.Gateway.DrainGrace)
	}
	if c.Gateway.MergePatience <= 0 || c.Gateway.MergePatience > time.Minute {
		bad("gateway.mergePatience: %v is not within 0 and 1m", c.Gateway.MergePatience)
	}
	for key, addr := range map[string]string{"registry.addr": c.Registry.Addr, "gateway.addr": c.Gateway.Addr} {
		if _, _, err := net.SplitHostPort(addr); err != nil {
			bad("%s: %q is not host:port", key, addr)
		}
	}
	for key, patience := range map[string]time.Duration{
		"callTimeout": c.Gateway.Upstream.CallTimeout, "silenceTimeout": c.Gateway.Upstream.SilenceTimeout, "answerTimeout": c.Gateway.Upstream.AnswerTimeout,
	} {
		if patience <= 0 || patience > 24*time.Hour {
			bad("gateway.upstream.%s: %v is not within 0 and 24h", key, patience)
		}
	}
	problems = append(problems, c.Gateway.Strikes.validate()...)
	problems = append(problems, c.Gateway.Local.validate()...)
	if (c.Gateway.TLSCert == "") != (c.Gateway.TLSKey == "") {
		bad("gateway.tlsCert and gateway.tlsKey go together")
	}
	if !c.Gateway.UnsafePlaintext && c.Gateway.TLSCert == "" && !Loopback(c.Gateway.Addr) {
		bad("gateway.addr: %q is not loopback; it needs gateway.tlsCert and tlsKey, or unsafePlaintext", c.Gateway.Addr)
	}
	if !Loopback(c.Registry.Addr) {
		bad("registry.addr: %q is not loopback; put a TLS proxy in front of a loopback address", c.Registry.Addr)
	}
	problems = append(problems, c.Registry.Ownership.validate()...)
	problems = append(problems, c.Registry.Vulnerabilities.validate()...)
	problems = append(problems, c.validateServers()...)
	problems = append(problems, c.Registry.Probe.validate()...)
	problems = append(problems, c.Tracing.validate()...)
	problems = append(problems, c.Scanners.validate()...)
	slices.SortFunc(problems, func(a, b error) int { return strings.Compare(a.Error(), b.Error()) })
	return errors.Join(problems...)
}

// Least limits: with less no server starts at all.
const (
	leastMemory = 16 << 20
	leastFiles  = 16
)

func (l Local) validate() []error {
	var problems []error
	for _, limit := range []struct {
		key          string
		value, least int
	}{
		{"memoryBytes", l.MemoryBytes, leastMemory}, {"addressBytes", l.AddressBytes, leastMemory},
		{"openFiles", l.OpenFiles, leastFiles}, {"processes", l.Processes, 1},
	} {
		if limit.value != 0 && limit.value < limit.least {
			problems = append(problems, fmt.Errorf("gateway.local.%s: %d is neither 0 nor at least %d", limit.key, limit.value, limit.least))
		}
	}
	if l.CPUTime != 0 && l.CPUTime < time.Second {
		problems = append(problems, fmt.Errorf("gateway.local.cpuTime: %v is neither 0 nor at least 1s", l.CPUTime))
	}
	return problems
}

func (c Config) validateServers() []error {
	var problems []error
	seen := map[string]bool{}
	for i, s := range c.Gateway.Servers {
		at := fmt.Sprintf("gateway.servers[%d]", i)
		if !aliasPattern.MatchString(s.Alias) {
			problems = append(problems, fmt.Errorf("%s.alias: %q does not match %s", at, s.Alias, aliasPattern))
		}
		if seen[s.Alias] {
			problems = append(problems, fmt.Errorf("%s.alias: %q stands twice", at, s.Alias))
		}
		seen[s.Alias] = true
		if s.Server == "" {
			problems = append(problems, fmt.Errorf("%s.server: the approved server's name is needed", at))
		}
		if s.URL != "" && len(s.Command) > 0 {
			problems = append(problems, fmt.Errorf("%s: a url or a command, or neither to go by the approval", at))
		}
		if s.Pin != "" && s.URL == "" {
			problems = append(problems, fmt.Errorf("%s.pin: only a url has one", at))
		}
		if !approval.Binding(s.MinBinding).Minimum() {
			problems = append(problems, fmt.Errorf("%s.minBinding: %q is none of endpoint, command, pinned, artifact", at, s.MinBinding))
		}
		for _, name := range slices.Sorted(maps.Keys(s.Env)) {
			if why, refused := approval.LoaderVariable(name); refused {
				problems = append(problems, fmt.Errorf("%s.env: %s is set for no local server: %s", at, name, why))
			}
		}
		if s.Transport != "" && s.URL == "" {
			problems = append(problems, fmt.Errorf("%s.transport: only a url has one", at))
		} else if !slices.Contains([]string{"", TransportHTTP, protocol.TransportSSE}, s.Transport) {
			problems = append(problems, fmt.Errorf("%s.transport: %q is neither %s nor %s", at, s.Transport, TransportHTTP, protocol.TransportSSE))
		}
		if len(s.Command) > 0 && !filepath.IsAbs(s.Command[0]) {
			problems = append(problems, fmt.Errorf("%s.command: %q is not absolute", at, s.Command[0]))
		}
		if u, err := url.Parse(s.URL); s.URL != "" && (err != nil || (u.Scheme != "https" && u.Scheme != "http") || u.Host == "") {
			problems = append(problems, fmt.Errorf("%s.url: %q is no http(s) URL", at, s.URL))
		}
	}
	return problems
}

// Loopback says whether a listen address can be reached from this machine only.
func Loopback(addr string) bool {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return false
	}
	if host == "localhost" {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}

// ValidateRemote reports what bartizan-gateway needs beside Validate.
func (c Config) ValidateRemote() error {
	var problems []error
	if u, err := url.Parse(c.Gateway.RegistryURL); err != nil || (u.Scheme != "https" && u.Scheme != "http") || u.Host == "" {
		problems = append(problems, fmt.Errorf("gateway.registryURL: %q is no http(s) URL", c.Gateway.RegistryURL))
	} else if u.Scheme == "http" && !Loopback(withPort(u.Host)) && !c.Gateway.UnsafePlaintext {
		problems = append(problems, fmt.Errorf("gateway.registryURL: %q carries the key in plain text; use https or unsafePlaintext", c.Gateway.RegistryURL))
	}
	if c.Gateway.Token == "" {
		problems = append(problems, errors.New("gateway.token: an API key of role gateway is needed"))
	}
	if c.Gateway.Trust == "" {
		problems = append(problems, errors.New("gateway.trust: the path of trust.json is needed"))
	}
	return errors.Join(problems...)
}

func withPort(host string) string {
	if _, _, err := net.SplitHostPort(host); err == nil {
		return host
	}
	return net.JoinHostPort(strings.Trim(host, "[]"), "80")
}
