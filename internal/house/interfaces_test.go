package house

import "go/ast"

// interfaces counts the methods of every interface type declared in a file.
func interfaces(file *ast.File) map[string]int {
	found := map[string]int{}
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.TypeSpec)
		if !ok {
			return true
		}
		if it, ok := spec.Type.(*ast.InterfaceType); ok {
			found[spec.Name.Name] = it.Methods.NumFields()
		}
		return true
	})
	return found
}
