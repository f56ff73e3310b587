package approval

import (
	"fmt"

	"github.com/bartizan-mcp/bartizan/internal/attest"
)

// roles is a checked trust document, ready to verify with.
type roles struct {
	approval, snapshot []*attest.PublicKey
	reviewers          attest.Policy
	voterByKey         map[string]*Voter
	identified         []*Voter
}

// compile checks the document against itself.
func (t *Trust) compile() (*roles, error) {
	if t.roles != nil {
		return t.roles, nil
	}
	switch {
	case t.Version < 1:
		return nil, fmt.Errorf("%w: version %d", ErrTrust, t.Version)
	case !plainName(t.Registry):
		return nil, fmt.Errorf("%w: malformed registry id", ErrTrust)
	case t.Expires.IsZero():
		return nil, fmt.Errorf("%w: no expiry", ErrTrust)
	case t.Threshold < 1 || t.Threshold > len(t.ApprovalKeys):
		return nil, fmt.Errorf("%w: threshold %d of %d approval keys", ErrTrust, t.Threshold, len(t.ApprovalKeys))
	case len(t.Voters) > maxVoters:
		return nil, fmt.Errorf("%w: %d voters", ErrTrust, len(t.Voters))
	case len(t.Tiers) == 0:
		return nil, fmt.Errorf("%w: no tiers", ErrTrust)
	}
	for name, tier := range t.Tiers {
		if !plainName(name) || tier.Votes < 1 || tier.Votes > MaxVotes || tier.Groups < 0 || tier.Groups > tier.Votes {
			return nil, fmt.Errorf("%w: malformed tier %q", ErrTrust, name)
		}
	}
	r := &roles{voterByKey: map[string]*Voter{}}
	holder := map[string]string{} // key id → its one role
	var err error
	if r.approval, err = parseKeys("approval", t.ApprovalKeys, holder); err != nil {
		return nil, err
	}
	if r.snapshot, err = parseKeys("snapshot", t.SnapshotKeys, holder); err != nil {
		return nil, err
	}
	if _, err = parseKeys("log", t.LogKeys, holder); err != nil {
		return nil, err
	}
	if err = t.compileVoters(r, holder); err != nil {
		return nil, err
	}
	return r, nil
}

func (t *Trust) compileVoters(r *roles, holder map[string]string) error {
	names := map[string]bool{}
	for i := range t.Voters {
		v := &t.Voters[i]
		if !plainName(v.Name) || names[v.Name] || len(v.Groups) > maxTrustKeys {
			return fmt.Errorf("%w: malformed or repeated voter %q", ErrTrust, v.Name)
		}
		names[v.Name] = true
		switch {
		case v.Key != nil && v.Identity == nil:
			keys, err := parseKeys("voter "+v.Name, []Key{*v.Key}, holder)
			if err != nil {
				return err
			}
			r.reviewers.Keys = append(r.reviewers.Keys, keys...)
			r.voterByKey[keys[0].ID()] = v
		case v.Identity != nil && v.Key == nil:
			if err := v.Identity.Validate(); err != nil {
				return fmt.Errorf("%w: voter %q: %w", ErrTrust, v.Name, err)
			}
			r.reviewers.Identities = append(r.reviewers.Identities, *v.Identity)
			r.identified = append(r.identified, v)
		default:
			return fmt.Errorf("%w: voter %q needs either a key or an identity", ErrTrust, v.Name)
		}
	}
	if len(t.TrustedRoot) == 0 {
		if len(r.identified) > 0 {
			return fmt.Errorf("%w: voters known by identity need a trustedRoot", ErrTrust)
		}
		return nil
	}
	root, err := attest.ParseTrustedRoot(t.TrustedRoot)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrTrust, err)
	}
	r.reviewers.Root = root
	return nil
}

func parseKeys(role string, in []Key, holder map[string]string) ([]*attest.PublicKey, error) {
	if len(in) == 0 || len(in) > maxTrustKeys {
		return nil, fmt.Errorf("%w: %d %s keys", ErrTrust, len(in), role)
	}
	out := make([]*attest.PublicKey, len(in))
	for i, k := range in {
		p, err := attest.ParsePublicKey([]byte(k.PEM))
		if err != nil {
			return nil, fmt.Errorf("%w: %s key: %w", ErrTrust, role, err)
		}
		if p.ID() != k.ID {
			return nil, fmt.Errorf("%w: %s key id does not match its key", ErrTrust, role)
		}
		if other, taken := holder[k.ID]; taken {
			return nil, fmt.Errorf("%w: key %s serves both %s and %s", ErrTrust, k.ID, other, role)
		}
		holder[k.ID] = role
		out[i] = p
	}
	return out, nil
}

// plainName accepts short identifiers of visible ASCII.
func plainName(s string) bool {
	if s == "" || len(s) > maxName {
		return false
	}
	for _, c := range []byte(s) {
		if c <= ' ' || c > '~' {
			return false
		}
	}
	return true
}
