package approval

import (
	"fmt"
	"slices"
)

// quorum returns whose votes count, or ErrQuorum. Votes that do not verify, are
// about something else, come from the publisher or repeat a voter are worth
// nothing; they do not spoil the others, so that a reviewer who has left does
// not undo what two remaining ones decided.
func quorum(p *Predicate, t *Trust) ([]string, error) {
	tier, ok := t.Tiers[p.Tier]
	if !ok {
		return nil, fmt.Errorf("%w: %q", ErrTier, p.Tier)
	}
	groups := map[string][]string{} // registered voter → groups
	for _, v := range t.Voters {
		groups[v.Name] = v.Groups
	}
	var voters, against []string
	for _, raw := range p.Votes {
		v, err := VerifyVote(raw, t, p.Subject)
		if err != nil || v.Tenant != p.Tenant || v.Server != p.Server || v.Version != p.Version {
			continue
		}
		if v.Decision == VoteReject {
			against = append(against, v.Voter)
			continue
		}
		voters = append(voters, v.Voter)
	}
	if tier.SessionVotes {
		for _, v := range p.SessionVotes {
			if v.Subject == p.Subject && plainName(v.Principal) && !v.At.IsZero() {
				voters = append(voters, v.Principal)
			}
		}
	}
	voters = slices.DeleteFunc(sortedSet(voters), func(n string) bool {
		return n == p.Publisher || slices.Contains(against, n)
	})
	if len(voters) < tier.Votes {
		return nil, fmt.Errorf("%w: %d of %d votes count", ErrQuorum, len(voters), tier.Votes)
	}
	if n := distinctGroups(voters, groups); tier.Groups > 1 && n < tier.Groups {
		return nil, fmt.Errorf("%w: votes of %d of %d groups", ErrQuorum, n, tier.Groups)
	}
	return voters, nil
}

// distinctGroups is how many groups can be represented by a different voter
// each: a maximum bipartite matching (Kuhn), since one person in two groups is
// still one person.
func distinctGroups(voters []string, groups map[string][]string) int {
	holder := map[string]string{} // group → voter
	var place func(voter string, seen map[string]bool) bool
	place = func(voter string, seen map[string]bool) bool {
		for _, g := range groups[voter] {
			if seen[g] {
				continue
			}
			seen[g] = true
			if other, taken := holder[g]; !taken || place(other, seen) {
				holder[g] = voter
				return true
			}
		}
		return false
	}
	n := 0
	for _, v := range voters {
		if place(v, map[string]bool{}) {
			n++
		}
	}
	return n
}
