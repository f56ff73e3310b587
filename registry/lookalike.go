package registry

import (
	"context"
	"database/sql"
	"fmt"
	"strings"

	"github.com/bartizan-mcp/bartizan/internal/admission"
)

// compareNamespace holds a version back whose namespace is new and looks like
// one that people know: whoever proved acne.example is still not acme.example
// to a hurried reader. People look at it; a release lets it go on.
func (s *Service) compareNamespace(ctx context.Context, w *work) error {
	namespace := w.doc.Namespace()
	known, err := s.approvedNamespaces(ctx, w.v.Tenant)
	if err != nil {
		return err
	}
	if known[namespace] {
		return nil
	}
	nearest := ""
	for other := range known {
		if lookAlike(namespace, other) && (nearest == "" || other < nearest) {
			nearest = other
		}
	}
	if nearest != "" {
		w.quarantine(admission.ReasonLookalikeNamespace, fmt.Sprintf("the namespace %s, under which nothing was approved yet, can be taken for %s", namespace, nearest))
	}
	return nil
}

// approvedNamespaces are those of the tenant's approved servers.
func (s *Service) approvedNamespaces(ctx context.Context, tenant string) (map[string]bool, error) {
	all := map[string]bool{}
	err := s.view(ctx, func(tx *sql.Tx) error {
		rows, err := tx.QueryContext(ctx, `SELECT DISTINCT name FROM versions WHERE tenant = $1 AND state = 'approved'`, tenant)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var name string
			if err := rows.Scan(&name); err != nil {
				return err
			}
			namespace, _, _ := strings.Cut(name, "/")
			all[namespace] = true
		}
		return rows.Err()
	})
	return all, err
}

// lookAlike reports whether two namespaces look the same, or differ in one label
// of at least shortLabel characters by one character more, less, other or
// swapped. In shorter labels one character is a difference that people see:
// io.github.ab is not io.github.ac.
func lookAlike(a, b string) bool {
	if appearance(a) == appearance(b) {
		return true
	}
	if len(a) > len(b) {
		a, b = b, a
	}
	if len(b)-len(a) > 1 {
		return false
	}
	if strings.ReplaceAll(a, ".", "") == strings.ReplaceAll(b, ".", "") {
		return true // com.acmetools and com.acme.tools
	}
	as, bs := strings.Split(strings.ToLower(a), "."), strings.Split(strings.ToLower(b), ".")
	if len(as) != len(bs) {
		return false
	}
	differing := -1
	for i := range as {
		if as[i] == bs[i] {
			continue
		}
		if differing >= 0 {
			return false
		}
		differing = i
	}
	return differing >= 0 && min(len(as[differing]), len(bs[differing])) >= shortLabel && oneEdit(as[differing], bs[differing])
}

const shortLabel = 4

// appearances are what look alike in common typefaces. Namespaces are ASCII, so
// letters of other scripts cannot stand in them.
var appearances = strings.NewReplacer("0", "o", "1", "l", "i", "l", "5", "s", "rn", "m", "vv", "w", "cl", "d", "-", "", "_", "")

func appearance(s string) string { return appearances.Replace(strings.ToLower(s)) }

// oneEdit reports a Damerau-Levenshtein distance of one.
func oneEdit(a, b string) bool {
	if len(a) > len(b) {
		a, b = b, a
	}
	i := 0
	for i < len(a) && a[i] == b[i] {
		i++
	}
	if len(a) < len(b) {
		return len(b)-len(a) == 1 && a[i:] == b[i+1:]
	}
	if i == len(a) {
		return false
	}
	return a[i+1:] == b[i+1:] || i+1 < len(a) && a[i] == b[i+1] && a[i+1] == b[i] && a[i+2:] == b[i+2:]
}
