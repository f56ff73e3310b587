package merge

import "slices"

// askers knows who issued which elicitation id. Each upstream has room of its
// own, so that none makes another's ids forgotten.
type askers struct {
	ids   map[string][]string // by alias, oldest first
	owner map[string]string   // by id
}

// maxIssued bounds the ids that are remembered of one upstream.
const maxIssued = 256

// issue gives an id to the upstream that asks for it first.
func (a *askers) issue(alias, id string) bool {
	if owner, known := a.owner[id]; known {
		return owner == alias
	}
	if a.ids == nil {
		a.ids, a.owner = map[string][]string{}, map[string]string{}
	}
	a.ids[alias], a.owner[id] = append(a.ids[alias], id), alias
	if own := a.ids[alias]; len(own) > maxIssued {
		delete(a.owner, own[0])
		a.ids[alias] = slices.Delete(own, 0, 1)
	}
	return true
}
