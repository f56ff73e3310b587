package config

import (
	"fmt"
	"slices"
	"time"
)

// Vulnerabilities says where the registry's vulnerability database comes from
// and what counts.
type Vulnerabilities struct {
	// Database is an export of the OSV database: a folder, a zip file or a JSON
	// file. It is watched.
	Database string `json:"database"`
	// Statements is a folder of VEX documents that count as this file does.
	Statements string `json:"statements"`
	// FailAt is the mildest severity that fails the checklist item.
	FailAt string `json:"failAt"`
	// Unrated is what a vulnerability counts as that nobody rated.
	Unrated string `json:"unrated"`
	// QuarantineAt is the mildest severity at which a finding that nobody
	// accepted takes an approved version out of circulation.
	QuarantineAt string `json:"quarantineAt"`
	// MaxAge is how old the newest entry of an ecosystem may be.
	MaxAge time.Duration `json:"maxAge"`
	// StatementLife is how long a VEX statement counts.
	StatementLife time.Duration `json:"statementLife"`
	// PublisherStatements lets statements signed for the namespace suppress.
	PublisherStatements bool `json:"publisherStatements"`
	// Required makes approvals wait for a person where there is no database.
	Required bool `json:"required"`
}

// Licences are lists of SPDX identifiers; see docs/vulnerabilities.md.
type Licences struct {
	Allow  []string `json:"allow"`
	Deny   []string `json:"deny"`
	Review []string `json:"review"`
}

// Rescan says what judging again may do by itself.
type Rescan struct {
	// Quarantine lists the reasons that take an approved version out of
	// circulation; empty means the default.
	Quarantine []string `json:"quarantine"`
}

var defaultVulnerabilities = Vulnerabilities{FailAt: "high", Unrated: "high", QuarantineAt: "critical", MaxAge: 14 * 24 * time.Hour, StatementLife: 90 * 24 * time.Hour}

var severities = []string{"low", "medium", "high", "critical"}

func (v Vulnerabilities) validate() []error {
	var problems []error
	for _, s := range []struct{ key, value string }{{"failAt", v.FailAt}, {"unrated", v.Unrated}, {"quarantineAt", v.QuarantineAt}} {
		if !slices.Contains(severities, s.value) {
			problems = append(problems, fmt.Errorf("registry.vulnerabilities.%s: %q is none of %v", s.key, s.value, severities))
		}
	}
	if v.MaxAge < time.Hour || v.MaxAge > 365*24*time.Hour {
		problems = append(problems, fmt.Errorf("registry.vulnerabilities.maxAge: %v is not within 1h and 8760h", v.MaxAge))
	}
	if v.StatementLife < time.Hour || v.StatementLife > 5*365*24*time.Hour {
		problems = append(problems, fmt.Errorf("registry.vulnerabilities.statementLife: %v is not within 1h and 43800h", v.StatementLife))
	}
	return problems
}
