// Package scaffold makes the first files of a scanner out of the SDK and the
// example of its language, under another name. It writes no files and knows no
// toolchain. What it relies on about an example is little: it is called ticket,
// it finds its SDK in ../../LANGUAGE and its cases in ../cases.jsonl.
package scaffold

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"
)

var (
	// ErrLanguage: there is no example in that language.
	ErrLanguage = errors.New("language")
	// ErrName: the name will not do in every language.
	ErrName = errors.New("name")
)

// Where a scaffold keeps its SDK and its cases.
const (
	sdkFolder = "sdk"
	casesFile = "cases.jsonl"
)

// Options say what to make.
type Options struct {
	Language string
	Name     string
	Release  string // of Bartizan, vX.Y.Z: where its packages can be had; "" if it is none
}

var nameForm = regexp.MustCompile(`^[a-z][a-z0-9]*(-[a-z0-9]+)*$`)

const maxName = 40

// Languages are those that source has an example of.
func Languages(source fs.FS) []string {
	found, _ := fs.Glob(source, "examples/*/scanner.yaml") // the pattern is valid
	for i := range found {
		found[i] = path.Base(path.Dir(found[i]))
	}
	slices.Sort(found)
	return found
}

// Files returns the files of a new scanner by their paths, which are relative
// and have slashes. Errors wrap ErrLanguage or ErrName.
func Files(source fs.FS, o Options) (map[string][]byte, error) {
	if !nameForm.MatchString(o.Name) || len(o.Name) > maxName {
		return nil, fmt.Errorf("%w %q: want lower-case words joined by hyphens, a letter first, %d bytes at most", ErrName, o.Name, maxName)
	}
	if !slices.Contains(Languages(source), o.Language) {
		return nil, fmt.Errorf("%w %q: one of %s", ErrLanguage, o.Language, strings.Join(Languages(source), ", "))
	}
	files := map[string][]byte{}
	rename := renamer(o)
	err := each(source, "examples/"+o.Language, func(name string, body []byte) {
		files[rename(name)] = []byte(rename(string(body)))
	})
	if err != nil {
		return nil, err
	}
	if body, err := fs.ReadFile(source, "examples/"+casesFile); err == nil {
		if _, own := files[casesFile]; !own {
			files[casesFile] = []byte(rename(string(body)))
		}
	}
	if o.Language == "go" {
		return files, vendored(source, o, files)
	}
	err = each(source, o.Language, func(name string, body []byte) { files[sdkFolder+"/"+name] = body })
	if errors.Is(err, fs.ErrNotExist) { // a language without an SDK
		err = nil
	}
	return files, err
}

// each reads every file below a folder.
func each(source fs.FS, dir string, use func(name string, body []byte)) error {
	return fs.WalkDir(source, dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		body, err := fs.ReadFile(source, name)
		if err != nil {
			return err
		}
		use(strings.TrimPrefix(name, dir+"/"), body)
		return nil
	})
}
