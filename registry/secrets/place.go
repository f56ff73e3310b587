package secrets

import (
	"path"
	"slices"
	"strings"
)

// Folders that hold other people's code.
var dependencyFolders = []string{"node_modules", "vendor", "site-packages", "dist-packages", ".venv", "venv", "bower_components", "jspm_packages", "third_party", "third-party"}

// Folders and parts of file names that hold what is not run with real values.
var (
	testFolders = []string{"test", "tests", "__tests__", "testing", "testdata", "test-data", "test_data", "spec", "specs", "fixture", "fixtures",
		"__fixtures__", "mock", "mocks", "__mocks__", "example", "examples", "sample", "samples", "demo", "demos", "doc", "docs", "e2e", "cassettes"}
	testNames      = []string{".test.", ".spec.", "_test.", ".template", ".dist", ".tmpl", "example", "sample", "test_", "conftest.", "mock_"}
	proseSuffixes  = []string{".md", ".mdx", ".rst", ".adoc", ".markdown"}
	proseNames     = []string{"readme", "changelog", "changes", "history", "license", "licence", "contributing", "security"}
	configSuffixes = []string{".json", ".json5", ".jsonc", ".yaml", ".yml", ".toml", ".ini", ".cfg", ".conf", ".config", ".properties", ".env", ".tfvars", ".plist", ".xml"}
	configNames    = []string{".npmrc", ".pypirc", ".netrc", ".git-credentials", ".dockercfg", ".pgpass", ".my.cnf", ".htpasswd", "credentials", "dockerfile", "procfile", ".yarnrc"}
	// Lockfiles are full of digests and addresses, and nobody writes settings there.
	lockNames = []string{"package-lock.json", "npm-shrinkwrap.json", ".package-lock.json", "pnpm-lock.yaml", "yarn.lock", "uv.lock", "poetry.lock", "cargo.lock", "composer.lock", "go.sum", "go.mod"}
)

// placeOf says what kind of file a path of an artifact is.
func placeOf(file string) string {
	file = strings.ToLower(file)
	folder, name := path.Split(file)
	prose := slices.ContainsFunc(proseSuffixes, func(s string) bool { return strings.HasSuffix(name, s) }) ||
		slices.Contains(proseNames, strings.TrimSuffix(name, path.Ext(name)))
	test := prose || slices.ContainsFunc(testNames, func(s string) bool { return strings.Contains(name, s) })
	for part := range strings.SplitSeq(strings.Trim(folder, "/"), "/") {
		if slices.Contains(dependencyFolders, part) {
			return PlaceDependency
		}
		test = test || slices.Contains(testFolders, part)
	}
	switch {
	case test:
		return PlaceTest
	case slices.Contains(lockNames, name):
		return PlaceOwn
	case slices.Contains(configNames, name), name == ".env", strings.HasPrefix(name, ".env."),
		slices.ContainsFunc(configSuffixes, func(s string) bool { return strings.HasSuffix(name, s) }):
		return PlaceConfiguration
	}
	return PlaceOwn
}

// announcedIn reports whether words that announce a credential are looked for
// in a file of this kind. In other people's code and in prose they would find
// what nobody can or need change.
func announcedIn(place, file string) bool {
	return (place == PlaceOwn || place == PlaceConfiguration) && !slices.Contains(lockNames, strings.ToLower(path.Base(file)))
}
