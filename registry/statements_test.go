package registry

import (
	"go/ast"
	"go/parser"
	"go/token"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

var (
	statement = regexp.MustCompile(`^(SELECT|INSERT|UPDATE|DELETE) `)
	bound     = regexp.MustCompile(`\btenant = \$\d`)
)

// statements returns the SQL in a file, concatenated literals joined.
func statements(t *testing.T, file string) []string {
	t.Helper()
	if strings.HasSuffix(file, "_test.go") {
		return nil
	}
	parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	ast.Inspect(parsed, func(n ast.Node) bool {
		e, ok := n.(ast.Expr)
		if !ok {
			return true
		}
		if s := text(e); statement.MatchString(s) {
			out = append(out, strings.Join(strings.Fields(s), " "))
			return false
		}
		return true
	})
	return out
}

func text(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.BasicLit:
		if s, err := strconv.Unquote(e.Value); err == nil && e.Kind == token.STRING {
			return s
		}
	case *ast.BinaryExpr:
		return text(e.X) + text(e.Y)
	}
	return ""
}

// tenantBound reports whether a statement writes or compares the tenant.
func tenantBound(query string) bool {
	if strings.HasPrefix(query, "INSERT") {
		_, columns, _ := strings.Cut(query, "(")
		return strings.HasPrefix(columns, "tenant") || strings.HasPrefix(columns, ") VALUES") // versionColumns begins with tenant
	}
	return bound.MatchString(query)
}
