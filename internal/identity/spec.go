package identity

import (
	"fmt"
	"regexp"
	"slices"
	"time"
)

// KeySpec says what key to issue.
type KeySpec struct {
	Tenant     string // "" = DefaultTenant
	Principal  string
	Kind       string // "" = KindUser
	Roles      []string
	Namespaces []string
	Attributes map[string]string
	Lifetime   time.Duration // 0 = DefaultLifetime, at most MaxLifetime
}

var (
	tenantPattern    = regexp.MustCompile(`^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$`)
	principalPattern = regexp.MustCompile(`^[A-Za-z0-9](?:[A-Za-z0-9._@:/+-]{0,126}[A-Za-z0-9])?$`)
	attributePattern = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_-]{0,63}$`)
	valuePattern     = regexp.MustCompile(`^[\pL\pN\pP\pS ]{1,256}$`)
	namespacePattern = regexp.MustCompile(`^[A-Za-z0-9](?:[A-Za-z0-9.-]{0,198}[A-Za-z0-9])?$`)
)

func (s *KeySpec) complete() error {
	if s.Tenant == "" {
		s.Tenant = DefaultTenant
	}
	if s.Kind == "" {
		s.Kind = KindUser
	}
	if s.Lifetime == 0 {
		s.Lifetime = DefaultLifetime
	}
	switch {
	case !tenantPattern.MatchString(s.Tenant):
		return fmt.Errorf("%w: tenant %q", ErrSpec, s.Tenant)
	case !principalPattern.MatchString(s.Principal):
		return fmt.Errorf("%w: principal %q", ErrSpec, s.Principal)
	case !slices.Contains([]string{KindUser, KindAgent, KindService}, s.Kind):
		return fmt.Errorf("%w: kind %q", ErrSpec, s.Kind)
	case s.Lifetime < 0 || s.Lifetime > MaxLifetime:
		return fmt.Errorf("%w: lifetime %s is not within %s", ErrSpec, s.Lifetime, MaxLifetime)
	case len(s.Roles) == 0:
		return fmt.Errorf("%w: no role", ErrSpec)
	}
	for _, role := range s.Roles {
		if !slices.Contains(Roles(), role) {
			return fmt.Errorf("%w: role %q", ErrSpec, role)
		}
	}
	for _, ns := range s.Namespaces {
		if ns != AnyNamespace && !namespacePattern.MatchString(ns) {
			return fmt.Errorf("%w: namespace %q", ErrSpec, ns)
		}
	}
	if len(s.Attributes) > maxAttributes {
		return fmt.Errorf("%w: more than %d attributes", ErrSpec, maxAttributes)
	}
	for name, value := range s.Attributes {
		if !attributePattern.MatchString(name) || !valuePattern.MatchString(value) {
			return fmt.Errorf("%w: attribute %q", ErrSpec, name)
		}
	}
	return nil
}

// maxAttributes bounds what a key says of its owner.
const maxAttributes = 16
