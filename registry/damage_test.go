package registry

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/bartizan-mcp/bartizan/internal/admission"
	"github.com/bartizan-mcp/bartizan/internal/approval"
	"github.com/bartizan-mcp/bartizan/internal/store"
)

// TestPublishDuringVote (row 44): what is published between a reviewer's look
// and vote changes nothing that the vote is about, and what changes the subject
// voids the votes before it.
func TestPublishDuringVote(t *testing.T) {
	h := newHouse(t)
	v := h.publish("weather", "1.0.0")
	r := h.complete(v.Review)
	changed := h.submission("weather", "1.0.0", h.publisher)
	changed.Listing = []byte(strings.Replace(string(changed.Listing), "Gets the weather forecast", "Sends your files away", 1))
	_, err := h.Publish(t.Context(), alice, changed)
	wantRefusal(t, err, ErrConflict, RefusedVersionExists)
	_, err = h.Attach(t.Context(), alice, v.Name, v.Version, changed.Bundles)
	wantRefusal(t, err, ErrConflict, RefusedState)
	if again, err := h.Review(t.Context(), "default", v.Review); err != nil || again.Subject != r.Subject {
		t.Errorf("the subject moved under the reviewer: %v", err)
	}
	_, err = h.Vote(t.Context(), bob, v.Review, r.Subject, approval.VoteApprove, nil)
	h.must(err)
	// Another version in between: this one's votes are about this one.
	h.publish("weather", "1.1.0")
	approved, err := h.Approve(t.Context(), bob, v.Review, r.Subject)
	h.must(err)
	if listed := h.listed("default"); len(listed) != 1 || listed[0] != hexDigest(approved.Approval) {
		t.Errorf("%v", listed)
	}
	second, err := h.Show(t.Context(), "default", v.Name, "1.1.0")
	h.must(err)
	_, err = h.Approve(t.Context(), bob, second.Review, r.Subject)
	wantRefusal(t, err, ErrConflict, RefusedStale)
}

// TestFlippedBits (row 47): a damaged approval is not listed, damage to one
// version keeps no other from being served, and every byte of the approval
// counts.
func TestFlippedBits(t *testing.T) {
	h := newHouse(t)
	first, second := h.approve(h.publish("weather", "1.0.0")), h.approve(h.publish("weather", "1.1.0"))
	flip := func(digest string, at int) (restore func()) {
		t.Helper()
		file := h.blobFile(digest)
		good, err := os.ReadFile(file)
		h.must(err)
		bad := slices.Clone(good)
		bad[at%len(bad)] ^= 1
		write := func(b []byte) {
			h.must(os.Chmod(file, 0o600))
			h.must(os.WriteFile(file, b, 0o600))
		}
		write(bad)
		return func() { write(good) }
	}
	for _, at := range []int{0, 100, 1000, 2500} {
		restore := flip(second.Approval, at)
		h.reopen()
		if listed := h.listed("default"); len(listed) != 1 || listed[0] != hexDigest(first.Approval) {
			t.Errorf("bit at %d: %v", at, listed)
		}
		h.wantShown(PublicQuery{}, "1.0.0*")
		restore()
	}
	h.reopen()
	h.wantShown(PublicQuery{}, "1.0.0, 1.1.0*")
	defer flip(first.ServerJSON, 50)()
	h.wantShown(PublicQuery{}, "1.1.0*")
	if _, err := h.PublicVersion(t.Context(), "default", first.Name, first.Version, false); err == nil {
		t.Error("damaged bytes are served")
	}
}

// blobFile finds a blob on disk.
func (h *house) blobFile(digest string) (found string) {
	h.t.Helper()
	h.must(filepath.WalkDir(filepath.Join(h.dir, "blobs"), func(path string, _ os.DirEntry, err error) error {
		if strings.HasSuffix(strings.ReplaceAll(path, string(filepath.Separator), ""), hexDigest(digest)) || filepath.Base(path) == hexDigest(digest) {
			found = path
		}
		return err
	}))
	if found == "" {
		h.t.Fatalf("no blob %s", digest)
	}
	return found
}

// TestMigrationDiesHalfway (row 47): a migration that fails after some of its
// statements leaves the database as it was, and the next start completes it.
func TestMigrationDiesHalfway(t *testing.T) {
	files, err := migrationFiles()
	if err != nil {
		t.Fatal(err)
	}
	read := func(name string) string {
		b, err := migrations.ReadFile("migrations/" + name)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	path := filepath.Join(t.TempDir(), "registry.db")
	first := fstest.MapFS{"00001_registry.sql": {Data: []byte(read("00001_registry.sql"))}}
	db, err := store.Open(path, first)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec(`INSERT INTO versions (tenant, name, version, state, review, alias, submission, record, created, updated) VALUES ('default', 'io.github.acme/weather', '1.0.0', 'approved', 'rv', 'weather', 'x', '{}', 1, 1)`); err != nil {
		t.Fatal(err)
	}
	db.Close()
	broken := fstest.MapFS{"00001_registry.sql": first["00001_registry.sql"],
		"00002_status.sql": {Data: []byte(strings.Replace(read("00002_status.sql"), "-- +goose Down", "INSERT INTO no_such_table VALUES (1);\n\n-- +goose Down", 1))}}
	if db, err := store.Open(path, broken); err == nil {
		db.Close()
		t.Fatal("a broken migration passed")
	}
	for range 2 {
		db, err = store.Open(path, files)
		if err != nil {
			t.Fatal(err)
		}
		var status, state string
		if err := db.QueryRow(`SELECT status, state FROM versions`).Scan(&status, &state); err != nil || status != string(admission.Active) || state != "approved" {
			t.Errorf("%s %s %v", status, state, err)
		}
		db.Close()
	}
}
