package object_test

import (
	"bytes"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"cairn/store/object"
)

var commits = []string{
	commitOf(ident, ident),
	commitOf("A <a@b> 0 -0000", "A <a@b> 1 +9999"),
	commitOf("A <a@b> 1 +051800", "A <a@b> 1 -1"),
	commitOf(" <> 1 +0530", "A  B  <> 1 -0330"),
	"tree " + hex1 + "\nparent " + hex1 + "\nparent " + hex1 + "\nauthor " + ident + "\ncommitter " + ident +
		"\nencoding ISO-8859-1\nmergetag object " + hex1 + "\n type commit\n tag v1\n tagger " + ident + "\n \n message\n -----BEGIN PGP SIGNATURE-----\n \n abc\n -----END PGP SIGNATURE-----\nHG:extra a:b\ngpgsig -----BEGIN PGP SIGNATURE-----\n \n iQ\n -----END PGP SIGNATURE-----\n\nmerge\n\nbody \n",
	"tree " + hex1 + "\nauthor " + ident + "\ncommitter " + ident + "\ngpgsig a\n b\nencoding x\nfoo bar\n\nout of order",
	"tree " + hex1 + "\nauthor " + ident + "\ncommitter " + ident + "\ngpgsig a\ngpgsig b\nencoding x\nencoding y\n\ntwice",
	"tree " + hex1 + "\nauthor " + ident + "\ncommitter " + ident + "\n\n",
	"tree " + hex1 + "\nauthor " + ident + "\ncommitter " + ident + "\n\n\n\n",
}

func TestCommitRoundTrip(t *testing.T) {
	for _, want := range commits {
		c, err := object.ParseCommit([]byte(want))
		if err != nil {
			t.Errorf("%q: %v", want, err)
			continue
		}
		if got := string(c.Encode()); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestParseCommit(t *testing.T) {
	c, err := object.ParseCommit([]byte(commits[4]))
	if err != nil {
		t.Fatal(err)
	}
	if c.Tree.String() != hex1 || len(c.Parents) != 2 || c.Encoding != "ISO-8859-1" || len(c.Extra) != 2 || c.Message != "merge\n\nbody \n" {
		t.Errorf("got %+v", c)
	}
	if want := "-----BEGIN PGP SIGNATURE-----\n\niQ\n-----END PGP SIGNATURE-----"; c.GPGSig != want {
		t.Errorf("signature %q, want %q", c.GPGSig, want)
	}
	want := strings.Replace(commits[4], "gpgsig -----BEGIN PGP SIGNATURE-----\n \n iQ\n -----END PGP SIGNATURE-----\n", "", 1)
	if got := string(c.SignedBytes()); got != want {
		t.Errorf("signed bytes %q, want %q", got, want)
	}
	_, offset := c.Author.When.Zone()
	if c.Author.Name != "A U Thor" || c.Author.Email != "a@example.org" || c.Author.When.Unix() != 1700000000 || offset != 3600 {
		t.Errorf("author %+v", c.Author)
	}
}

// TestEncodeZones has zones that Go knows by names that look like git's notation
// but mean something else. Git reads the date back.
func TestEncodeZones(t *testing.T) {
	dir := newRepo(t)
	for _, c := range []struct {
		zone *time.Location
		want string
	}{
		{time.UTC, "+0000"},
		{time.FixedZone("", 5400), "+0130"},
		{time.FixedZone("+03", 3*3600), "+0300"},
		{time.FixedZone("CET", 3600), "+0100"},
		{time.FixedZone("-0330", -12600), "-0330"},
		{time.FixedZone("", -59), "+0000"},
		{time.FixedZone("", -11*3600-59), "-1100"},
	} {
		when := time.Date(2026, 11, 21, 12, 0, 0, 0, c.zone)
		who := object.Signature{Name: "A <U> Thor\n", Email: "a@example.org", When: when}
		data := (&object.Commit{Author: who, Committer: who, Message: "m\n"}).Encode()
		if err := object.Check(object.TypeCommit, data); err != nil {
			t.Errorf("%v: %v", when, err)
		}
		name := strings.TrimSpace(string(mustGit(t, dir, data, "hash-object", "-t", "commit", "-w", "--stdin")))
		out := mustGit(t, dir, nil, "log", "-1", "--date=raw", "--format=%an|%ae|%ad", name)
		if got, want := strings.TrimSpace(string(out)), fmt.Sprintf("A U Thor|a@example.org|%d %s", when.Unix(), c.want); got != want {
			t.Errorf("git reads %q, want %q", got, want)
		}
		back, err := object.ParseCommit(data)
		if err != nil {
			t.Fatal(err)
		}
		if !back.Author.When.Equal(when) || back.Author.Name != "A U Thor" {
			t.Errorf("got %+v, want %+v", back.Author, who)
		}
	}
}

// TestCommitsOfGit takes commits apart that git has made and puts them together.
func TestCommitsOfGit(t *testing.T) {
	dir := newRepo(t)
	tree := strings.TrimSpace(string(mustGit(t, dir, nil, "hash-object", "-t", "tree", "-w", "/dev/null")))
	parent := strings.TrimSpace(string(mustGit(t, dir, nil, "commit-tree", tree, "-m", "first")))
	for _, args := range [][]string{
		{"commit-tree", tree, "-p", parent, "-m", "second", "-m", "with a body"},
		{"-c", "i18n.commitEncoding=ISO-8859-1", "commit-tree", tree, "-p", parent, "-m", "caf\xe9"},
		{"-c", "user.name=  Ä. Ö <x>", "commit-tree", tree, "-p", parent, "-m", ""},
	} {
		name := strings.TrimSpace(string(mustGit(t, dir, nil, args...)))
		data := mustGit(t, dir, nil, "cat-file", "commit", name)
		c, err := object.ParseCommit(data)
		if err != nil {
			t.Fatal(err)
		}
		if got := c.Encode(); !bytes.Equal(got, data) {
			t.Errorf("got %q, want %q", got, data)
		}
		if (object.Object{Type: object.TypeCommit, Data: data}).Hash().String() != name {
			t.Errorf("hash of %s differs", name)
		}
	}
	mustGit(t, dir, nil, "tag", "-a", "-m", "release", "v1", parent)
	data := mustGit(t, dir, nil, "cat-file", "tag", "v1")
	tag, err := object.ParseTag(data)
	if err != nil {
		t.Fatal(err)
	}
	if got := tag.Encode(); !bytes.Equal(got, data) || tag.Name != "v1" || tag.Object.String() != parent {
		t.Errorf("got %q, want %q", got, data)
	}
}

// wellFormed is what the promise of a round trip is made for: see Commit.
var wellFormed = regexp.MustCompile(`^tree [0-9a-f]{40}\n(parent [0-9a-f]{40}\n)*` +
	`author [^<>\n\x00]* <[^<>\n\x00]*> (0|[1-9][0-9]{0,17}) [+-][0-9]{4}\n` +
	`committer [^<>\n\x00]* <[^<>\n\x00]*> (0|[1-9][0-9]{0,17}) [+-][0-9]{4}\n` +
	`([^ \n]+ [^\n]+\n( [^\n]*\n)*)*\n`)

func FuzzParseCommit(f *testing.F) {
	for _, c := range commits {
		f.Add([]byte(c))
	}
	for _, h := range hostileCommits() {
		f.Add([]byte(h.data))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := object.ParseCommit(data)
		if err != nil || !wellFormed.Match(data) {
			return
		}
		if got := c.Encode(); !bytes.Equal(got, data) {
			t.Errorf("got %q, want %q", got, data)
		}
	})
}

var tags = []string{
	"object " + hex1 + "\ntype commit\ntag v1\ntagger " + ident + "\n\nm\n-----BEGIN PGP SIGNATURE-----\n",
	"object " + hex1 + "\ntype tree\ntag old\n\nno tagger\n",
	"object " + hex1 + "\ntype tag\ntag v1\ntagger " + ident + "\ngpgsig-sha256 a\n b\n\nm",
}

func TestTagRoundTrip(t *testing.T) {
	for _, want := range tags {
		tag, err := object.ParseTag([]byte(want))
		if err != nil {
			t.Errorf("%q: %v", want, err)
			continue
		}
		if got := string(tag.Encode()); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	tag, _ := object.ParseTag([]byte(tags[0]))
	if tag.Object.String() != hex1 || tag.Type != object.TypeCommit || tag.Name != "v1" || tag.Tagger.Name != "A U Thor" {
		t.Errorf("got %+v", tag)
	}
}

func FuzzParseTag(f *testing.F) {
	for _, tag := range tags {
		f.Add([]byte(tag))
	}
	for _, h := range hostileTags() {
		f.Add([]byte(h.data))
	}
	well := regexp.MustCompile(`^object [0-9a-f]{40}\ntype (commit|tree|blob|tag)\ntag [^\n]*\n` +
		`(tagger [^<>\n\x00]* <[^<>\n\x00]*> (0|[1-9][0-9]{0,17}) [+-][0-9]{4}\n)?([^ \nt][^ \n]* [^\n]+\n( [^\n]*\n)*)*\n`)
	f.Fuzz(func(t *testing.T, data []byte) {
		tag, err := object.ParseTag(data)
		if err != nil || !well.Match(data) {
			return
		}
		if got := tag.Encode(); !bytes.Equal(got, data) {
			t.Errorf("got %q, want %q", got, data)
		}
	})
}
