package sbom

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"

	"github.com/bartizan-mcp/bartizan/internal/archive"
	"github.com/bartizan-mcp/bartizan/sbom/gomod"
	"github.com/bartizan-mcp/bartizan/sbom/image"
	"github.com/bartizan-mcp/bartizan/sbom/ospkg"
)

// imageStage is what the images of an artifact hold beyond manifests. The files
// of a distribution are data like any other: a manifest among them that does not
// parse is a gap in the document and no reason to refuse the image, for test
// fixtures of every kind of breakage are installed with packages.
type imageStage struct {
	images   []stagedImage
	current  *stagedImage
	strays   map[string]bool // executables without Go build information
	owned    map[string]bool // files of packages of the distributions
	unreadOS map[string]bool // databases that no reader is here for
}

type stagedImage struct {
	image.Image
	base     string // of its paths in the artifact: "." when it is the only one
	release  ospkg.Release
	packages []osPackages
}

type osPackages struct {
	at   string
	list []ospkg.Package
}

// maxOwned files of distributions are remembered.
const maxOwned = 1_000_000

// unpackImage stages the images of an artifact. ok is false when it holds none.
func (s *stage) unpackImage(ctx context.Context, in Input, opts Options) (info archive.Info, ok bool, err error) {
	if in.Kind != KindAuto && in.Kind != KindImage {
		return info, false, nil
	}
	layout, err := image.Open(ctx, in.Artifact, opts.Limits)
	if err != nil {
		return info, true, err
	}
	if layout == nil {
		if in.Kind == KindImage || opts.Platform != "" {
			return info, true, fmt.Errorf("%w: no container image", ErrUnsupported)
		}
		return info, false, nil
	}
	defer layout.Close()
	if opts.Platform != "" {
		if err := layout.Select(opts.Platform); err != nil {
			return info, true, err
		}
	}
	if info, err = archive.Digests(ctx, in.Artifact, opts.Limits); err != nil {
		return info, true, err
	}
	info.Kind = KindImage
	for _, what := range layout.Missing {
		s.gap("", "the index names an image for %s that the artifact does not hold", shown(what))
	}
	for _, what := range layout.Other {
		s.gap("", "%s is no container image and was not read", what)
	}
	if len(layout.Images) == 0 {
		s.gap("", "the image index holds no image")
	}
	s.image = imageStage{strays: map[string]bool{}, owned: map[string]bool{}, unreadOS: map[string]bool{}}
	for i, img := range layout.Images {
		staged := stagedImage{Image: img, base: "."}
		if len(layout.Images) > 1 {
			staged.base = fmt.Sprintf("%s#%d", strings.ReplaceAll(img.Platform, "/", "-"), i)
		}
		s.image.images = append(s.image.images, staged)
	}
	for i := range s.image.images {
		s.image.current = &s.image.images[i]
		report, err := layout.Walk(ctx, s.image.images[i].Image, s.visitImage)
		if err != nil {
			return info, true, err
		}
		for _, at := range report.Through {
			s.gap(path.Join(s.image.current.base, at), "is a link that an upper layer writes below; what lies there may be listed twice")
		}
		if n := len(report.Odd); n > 0 {
			s.gap(s.image.current.base, "holds %s with names that are not read", count(n, "file", "files"))
		}
	}
	return info, true, nil
}

func (s *stage) visitImage(f image.File, r *io.SectionReader) error {
	at := path.Join(s.image.current.base, f.Path)
	dir, base := path.Split(at)
	dir = path.Clean(dir)
	name, isNPM := manifest(base)
	isManifest := isNPM && name == base && wantsManifest(dir, name) || pythonFile(dir, base) == base || cargoFile(dir, base) == base
	switch {
	case f.Link && isManifest:
		s.gap(at, "is a hard link into a lower layer and was not read")
		return nil
	case f.Link:
		return nil
	}
	if done, err := s.osDatabase(f.Path, at, r); done || err != nil {
		return s.tolerate(at, err)
	}
	if _, err := r.Seek(0, io.SeekStart); err != nil {
		return fmt.Errorf("sbom: stage: %w", err)
	}
	if isManifest {
		return s.tolerate(at, s.visit(archive.Entry{Path: at, Size: f.Size}, r))
	}
	return s.imageExecutable(archive.Entry{Path: at, Size: f.Size}, r)
}

// tolerate makes a gap of a file of an image that is refused.
func (s *stage) tolerate(at string, err error) error {
	if s.image.current == nil || err == nil {
		return err
	}
	for _, bad := range []error{ErrMalformed, ErrHostileArchive, ospkg.ErrMalformed} {
		if errors.Is(err, bad) {
			s.gap(at, "is malformed and was not read")
			return nil
		}
	}
	return err
}

// osDatabase reads what a distribution keeps about its packages.
func (s *stage) osDatabase(name, at string, r io.Reader) (done bool, err error) {
	dir, base := path.Split(name)
	dir = strings.TrimSuffix(dir, "/")
	img := s.image.current
	read := func() ([]byte, error) {
		b, err := io.ReadAll(io.LimitReader(r, ospkg.MaxBytes+1))
		if len(b) > ospkg.MaxBytes {
			return nil, fmt.Errorf("%w: %q", ErrTooLarge, at)
		}
		return b, err
	}
	switch {
	case name == "usr/lib/os-release" || name == "etc/os-release":
		b, err := read()
		if release := ospkg.ParseRelease(b); release.ID != "" {
			img.release = release
		}
		return true, err
	case dir == "var/lib/dpkg/info" && path.Ext(base) == ".list", dir == "var/lib/dpkg/status.d" && path.Ext(base) == ".md5sums":
		b, err := read()
		if err != nil {
			return true, err
		}
		return true, s.own(ospkg.ParseList(b))
	case name == "var/lib/dpkg/status", dir == "var/lib/dpkg/status.d":
		b, err := read()
		if err != nil {
			return true, err
		}
		list, err := ospkg.ParseStatus(b)
		img.packages = append(img.packages, osPackages{at, list})
		return true, err
	case name == "lib/apk/db/installed", name == "usr/lib/apk/db/installed":
		b, err := read()
		if err != nil {
			return true, err
		}
		list, files, err := ospkg.ParseInstalled(b)
		if err != nil {
			return true, err
		}
		img.packages = append(img.packages, osPackages{at, list})
		return true, s.own(files)
	case dir == "var/lib/rpm" || dir == "usr/lib/sysimage/rpm":
		s.image.unreadOS[path.Dir(at)] = true
		return true, nil
	}
	return false, nil
}

// own remembers the files of a package. Databases name them by the paths of old,
// of which merged distributions have made links.
func (s *stage) own(files []string) error {
	for _, f := range files {
		if len(s.image.owned) > maxOwned {
			return fmt.Errorf("%w: more than %d files of a distribution", ErrTooLarge, maxOwned)
		}
		s.image.owned[path.Join(s.image.current.base, f)] = true
		for _, old := range []string{"bin/", "sbin/", "lib/", "lib64/", "lib32/"} {
			if strings.HasPrefix(f, old) {
				s.image.owned[path.Join(s.image.current.base, "usr", f)] = true
			}
		}
	}
	return nil
}

// imageExecutable keeps Go executables for syft and counts the others: an image
// has thousands, most of which belong to a package.
func (s *stage) imageExecutable(e archive.Entry, r *io.SectionReader) error {
	head := make([]byte, 16)
	if n, err := r.ReadAt(head, 0); n < len(head) || !archive.IsExecutable(head) {
		if err != nil && !errors.Is(err, io.EOF) {
			return fmt.Errorf("sbom: stage: %w", err)
		}
		return nil
	}
	if _, err := gomod.ReadBinary(r); err != nil {
		s.image.strays[e.Path] = true
		return nil
	}
	return s.executable(e, r)
}
