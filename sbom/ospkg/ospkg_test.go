package ospkg

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const status = `Package: libc6
Status: install ok installed
Architecture: amd64
Version: 2.36-9+deb12u4
Description: GNU C Library
 several lines
 Version: not this

Package: gone
Status: deinstall ok config-files
Version: 1

Package: base-files
Version: 12.4
Conffiles:
 /etc/issue 1
`

const installed = `C:Q1abc=
P:musl
V:1.2.4-r2
A:x86_64
L:MIT
F:lib
R:ld-musl-x86_64.so.1
a:0:0:755
F:
R:top

P:busybox
V:1.36.1-r5
A:x86_64
L:GPL-2.0-only
`

func TestDatabases(t *testing.T) {
	deb, err := ParseStatus([]byte(status))
	if err != nil {
		t.Fatal(err)
	}
	apk, files, err := ParseInstalled([]byte(installed))
	if err != nil {
		t.Fatal(err)
	}
	debian := ParseRelease([]byte("NAME=\"Debian GNU/Linux\"\nID=debian\nVERSION_ID=\"12\"\n"))
	alpine := ParseRelease([]byte("ID=alpine\nVERSION_ID=3.18.4\n"))
	var got []string
	for _, p := range deb {
		got = append(got, p.Purl(debian))
	}
	for _, p := range apk {
		got = append(got, p.Purl(alpine)+" "+p.License)
	}
	got = append(got, deb[1].Purl(Release{}))
	want := []string{
		"pkg:deb/debian/libc6@2.36-9%2Bdeb12u4?arch=amd64&distro=debian-12", "pkg:deb/debian/base-files@12.4?distro=debian-12",
		"pkg:apk/alpine/musl@1.2.4-r2?arch=x86_64&distro=alpine-3.18.4 MIT", "pkg:apk/alpine/busybox@1.36.1-r5?arch=x86_64&distro=alpine-3.18.4 GPL-2.0-only",
		"pkg:deb/debian/base-files@12.4",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"lib/ld-musl-x86_64.so.1", "top"}, files); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"usr/bin/x", "lib/y"}, ParseList([]byte("/.\n/usr/bin/x\nd41d8cd98f00b204e9800998ecf8427e  lib/y\n"))); diff != "" {
		t.Error(diff)
	}
	for name, bad := range map[string]string{
		"twice": "Package: a\nPackage: b\nVersion: 1\n", "no version": "Package: a\n", "path": "Package: ../a\nVersion: 1\n",
		"control": "Package: a\x01\nVersion: 1\n", "long": "Package: " + strings.Repeat("a", 600) + "\nVersion: 1\n",
	} {
		if list, err := ParseStatus([]byte(bad)); !errors.Is(err, ErrMalformed) {
			t.Errorf("%s: %+v, %v", name, list, err)
		}
	}
	if _, err := ParseStatus([]byte(strings.Repeat("Package: a\nVersion: 1\n\n", maxPackages+1))); !errors.Is(err, ErrTooLarge) {
		t.Errorf("error = %v", err)
	}
}

func FuzzDatabases(f *testing.F) {
	f.Add([]byte(status))
	f.Add([]byte(installed))
	f.Fuzz(func(t *testing.T, b []byte) {
		deb, err := ParseStatus(b)
		_, _, err2 := ParseInstalled(b)
		for _, err := range []error{err, err2} {
			if err != nil && !errors.Is(err, ErrMalformed) && !errors.Is(err, ErrTooLarge) {
				t.Errorf("error without a sentinel: %v", err)
			}
		}
		for _, p := range deb {
			if p.Name == "" || p.Purl(ParseRelease(b)) == "" {
				t.Errorf("%+v", p)
			}
		}
		for _, name := range ParseList(b) {
			if strings.HasPrefix(name, "/") || strings.HasPrefix(name, "../") {
				t.Errorf("%q", name)
			}
		}
	})
}
