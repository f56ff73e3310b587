// Package ospkg reads what Linux distributions say of themselves and of the
// packages that are installed: os-release, dpkg's status files and apk's
// database, with the files that belong to the packages.
//
// It knows those formats; it must not know images, archives or CycloneDX.
package ospkg

import (
	"errors"
	"fmt"
	"path"
	"strings"
	"unicode/utf8"

	"github.com/anchore/packageurl-go"
)

// Errors of the package.
var (
	ErrMalformed = errors.New("malformed package database")
	ErrTooLarge  = errors.New("package database exceeds a limit")
)

// Limits of one file.
const (
	MaxBytes    = 64 << 20
	maxPackages = 50_000
	maxText     = 512
)

// Package is one installed package.
type Package struct {
	Type         string // deb or apk
	Name         string
	Version      string
	Architecture string
	License      string // as the package says; dpkg does not
}

// Release is what /etc/os-release says: https://www.freedesktop.org/software/systemd/man/os-release.html.
type Release struct{ ID, VersionID string }

// ParseRelease reads os-release. What is quoted is unquoted; the rest is no shell.
func ParseRelease(b []byte) Release {
	var r Release
	for line := range strings.SplitSeq(string(b), "\n") {
		key, value, _ := strings.Cut(strings.TrimSpace(line), "=")
		value = strings.Trim(value, `"'`)
		if !plain(value) {
			continue
		}
		switch key {
		case "ID":
			r.ID = strings.ToLower(value)
		case "VERSION_ID":
			r.VersionID = value
		}
	}
	return r
}

// Purl is the package URL by https://github.com/package-url/purl-spec. The
// namespace is the distribution.
func (p Package) Purl(r Release) string {
	q := map[string]string{}
	if p.Architecture != "" {
		q["arch"] = p.Architecture
	}
	space := r.ID
	if space == "" {
		space = map[string]string{"deb": "debian", "apk": "alpine"}[p.Type]
	} else {
		q["distro"] = strings.TrimSuffix(r.ID+"-"+r.VersionID, "-")
	}
	return packageurl.NewPackageURL(p.Type, space, p.Name, p.Version, packageurl.QualifiersFromMap(q), "").ToString()
}

// ParseStatus reads /var/lib/dpkg/status, or one file of status.d
// (https://man7.org/linux/man-pages/man5/deb-control.5.html). Packages that are
// known and not installed are left out.
func ParseStatus(b []byte) ([]Package, error) {
	var out []Package
	err := stanzas(b, func(field func(string) string) error {
		if status := field("Status"); status != "" && !strings.HasSuffix(status, " installed") {
			return nil
		}
		p := Package{Type: "deb", Name: field("Package"), Version: field("Version"), Architecture: field("Architecture")}
		var err error
		out, err = p.appendTo(out)
		return err
	}, ": ")
	return out, err
}

// ParseInstalled reads apk's database, /lib/apk/db/installed
// (https://wiki.alpinelinux.org/wiki/Apk_spec), and the files of the packages.
func ParseInstalled(b []byte) ([]Package, []string, error) {
	var out []Package
	err := stanzas(b, func(field func(string) string) error {
		p := Package{Type: "apk", Name: field("P"), Version: field("V"), Architecture: field("A"), License: field("L")}
		var err error
		out, err = p.appendTo(out)
		return err
	}, ":")
	if err != nil {
		return nil, nil, err
	}
	var files []string
	dir := ""
	for line := range strings.SplitSeq(string(b), "\n") {
		switch key, value, _ := strings.Cut(line, ":"); key {
		case "F":
			dir = value
		case "R":
			files = append(files, path.Join(dir, value))
		}
	}
	return out, files, nil
}

// ParseList reads the files of a package of dpkg: info/*.list has one a line,
// status.d/*.md5sums a digest before each.
func ParseList(b []byte) []string {
	var out []string
	for line := range strings.SplitSeq(string(b), "\n") {
		if _, name, ok := strings.Cut(line, "  "); ok {
			line = name
		}
		if name := path.Clean("/" + line)[1:]; name != "" {
			out = append(out, name)
		}
	}
	return out
}

func (p Package) appendTo(list []Package) ([]Package, error) {
	switch {
	case p.Name == "" || p.Version == "":
		return nil, fmt.Errorf("%w: a package without name or version", ErrMalformed)
	case !plain(p.Name) || !plain(p.Version) || !plain(p.Architecture) || strings.ContainsAny(p.Name+p.Version, " /"):
		return nil, fmt.Errorf("%w: package %.100q", ErrMalformed, p.Name)
	case len(list) >= maxPackages:
		return nil, fmt.Errorf("%w: more than %d packages", ErrTooLarge, maxPackages)
	}
	if !plain(p.License) {
		p.License = ""
	}
	return append(list, p), nil
}

func plain(s string) bool {
	return len(s) <= maxText && utf8.ValidString(s) && !strings.ContainsFunc(s, func(r rune) bool { return r < 0x20 || r == 0x7f })
}

// stanzas calls visit for every paragraph with its fields. A field twice in one
// of them is refused: readers disagree about which counts.
func stanzas(b []byte, visit func(field func(string) string) error, separator string) error {
	if len(b) > MaxBytes {
		return fmt.Errorf("%w: more than %d bytes", ErrTooLarge, MaxBytes)
	}
	fields := map[string]string{}
	flush := func() error {
		if len(fields) == 0 {
			return nil
		}
		err := visit(func(key string) string { return fields[key] })
		clear(fields)
		return err
	}
	for line := range strings.SplitSeq(string(b), "\n") {
		if strings.TrimSpace(line) == "" {
			if err := flush(); err != nil {
				return err
			}
			continue
		}
		if line[0] == ' ' || line[0] == '\t' {
			continue
		}
		key, value, ok := strings.Cut(line, separator)
		if !ok { // a field without a value on its own line
			key, value = strings.TrimSuffix(line, ":"), ""
		}
		switch key {
		case "Package", "Status", "Version", "Architecture", "P", "V", "A", "L":
			if _, twice := fields[key]; twice {
				return fmt.Errorf("%w: %s twice", ErrMalformed, key)
			}
			fields[key] = strings.TrimSpace(value)
		}
	}
	return flush()
}
