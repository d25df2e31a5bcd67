package git

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"cairn/services/config"
	"cairn/store/object"
)

// Objects of somebody else's, brought into reach by a push that refers to them.
func TestPushThatRefersToHidden(t *testing.T) {
	h := newHidden(t)
	file := func(hash string) object.Object {
		return tree(object.Entry{Name: "stolen", Mode: object.ModeFile, Hash: hash20(hash)})
	}
	folder := tree(object.Entry{Name: "stolen", Mode: object.ModeDir, Hash: hash20(h.subtree)})
	empty := tree()
	base := blob(secretText)
	delta := append([]byte{byte(len(base.Data)), byte(len(base.Data) + 1), 0x90, byte(len(base.Data))}, 1, '!')
	derived := blob(secretText + "!")
	merged := commit(empty.Hash(), h.tip, h.commit)
	for what, c := range map[string]struct {
		ref   string
		tip   object.Object
		items []item
	}{
		"a tree with her blob":      {"refs/heads/s1", commit(file(h.blob).Hash()), []item{{Object: file(h.blob)}}},
		"a tree with her folder":    {"refs/heads/s2", commit(folder.Hash()), []item{{Object: folder}}},
		"her tree":                  {"refs/heads/s3", commit(hash20(h.tree)), nil},
		"her commit as parent":      {"refs/heads/s4", commit(empty.Hash(), h.commit), []item{{Object: empty}}},
		"her commit as 2nd parent":  {"refs/heads/s5", merged, []item{{Object: empty}}},
		"a tag of her commit":       {"refs/tags/s6", tag(h.commit, "commit"), nil},
		"a tag of her blob":         {"refs/tags/s7", tag(h.blob, "blob"), nil},
		"a tag of her tree":         {"refs/tags/s8", tag(h.tree, "tree"), nil},
		"a tag of her tag":          {"refs/tags/s9", tag(h.tag, "tag"), nil},
		"a delta against her blob":  {"refs/heads/s10", commit(file(derived.Hash().String()).Hash()), []item{{Object: file(derived.Hash().String())}, {Object: object.Object{Type: object.TypeBlob, Data: delta}, refDelta: hash20(h.blob)}}},
		"a delta against her tree":  {"refs/heads/s11", commit(empty.Hash()), []item{{Object: empty}, {Object: object.Object{Type: object.TypeTree, Data: []byte{1, 0}}, refDelta: hash20(h.tree)}}},
		"her blob with a delta too": {"refs/heads/s12", commit(file(h.blob).Hash()), []item{{Object: file(h.blob)}, {Object: blob("chaff")}}},
	} {
		hash := c.tip.Hash().String()
		_, report := h.push(t, "carol", "carols", []string{zero + " " + hash + " " + c.ref}, makePack(t, append(c.items, item{Object: c.tip})...))
		if strings.Contains(report, "ok "+c.ref) {
			t.Errorf("%s: the push was accepted: %q", what, report)
		}
		if got := h.real(t, "refs/heads/site/carols/"+filepath.Base(c.ref)); got != zero {
			t.Errorf("%s: there is a ref now at %s", what, got)
		}
	}
	for what, hash := range h.each() {
		for _, ref := range []string{"refs/heads/direct", "refs/tags/direct"} {
			for _, pack := range [][]byte{nil, makePack(t), makePack(t, item{Object: blob("chaff")})} {
				if _, report := h.push(t, "carol", "carols", []string{zero + " " + hash + " " + ref}, pack); strings.Contains(report, "ok "+ref) {
					t.Errorf("%s at %s: accepted: %q", what, ref, report)
				}
			}
		}
	}
	// As if her clone were shallow just above what she does not have.
	c := commit(empty.Hash(), h.commit)
	_, report := h.push(t, "carol", "carols", []string{"shallow " + h.commit, zero + " " + c.Hash().String() + " refs/heads/shallow"},
		makePack(t, item{Object: c}, item{Object: empty}))
	if strings.Contains(report, "ok refs/heads/shallow") {
		t.Errorf("a push from a shallow clone: accepted: %q", report)
	}
	for what, hash := range h.each() {
		if h.own.refused("fetch", "-q", h.url("carol", "carols"), hash); h.own.has(hash) {
			t.Errorf("%s: carol has it", what)
		}
	}
	// The same requests are accepted when what they refer to is hers.
	own := file(h.own.rev("HEAD:index.html"))
	c = commit(own.Hash(), h.tip)
	if _, report := h.push(t, "carol", "carols", []string{zero + " " + c.Hash().String() + " refs/heads/fine"}, makePack(t, item{Object: own}, item{Object: c})); !strings.Contains(report, "ok refs/heads/fine") {
		t.Errorf("what is hers: got %q, want ok", report)
	}
}

// Bytes that somebody has are his: the same blob in two sites is no leak, and
// must not be refused.
func TestSameContentTwice(t *testing.T) {
	h := newHidden(t)
	h.own.commit("copy.txt", secretText)
	h.own.git("push", "-q", h.url("carol", "carols"), "HEAD:main")
	c := newWork(t)
	c.git("pull", "-q", h.url("carol", "carols"), "main")
	if !c.has(h.blob) || c.has(h.commit) || c.has(h.subtree) {
		t.Errorf("blob %v, commit %v, folder %v, want her own copy of the blob only", c.has(h.blob), c.has(h.commit), c.has(h.subtree))
	}
}

// The secrets' branch can be cloned by an administrator and shows nothing.
func TestSecretsAreCiphertext(t *testing.T) {
	k := newKit(t)
	must(t, k.Secrets.Put(t.Context(), root, "hook/www", []byte(secretText)))
	c := newWork(t)
	c.git("pull", "-q", k.url("root", "secrets"), "main")
	data, err := os.ReadFile(filepath.Join(c.dir, "hook/www"))
	must(t, err)
	if strings.Contains(string(data), "treasure") {
		t.Errorf("got %q", data)
	}
	c.git("mv", "hook/www", "hook/club") // a secret that I know, in the place of another
	c.git("commit", "-q", "-m", "move")
	wantText(t, c.refused("push", k.url("root", "secrets"), "HEAD:main"), "hook/club: the secret is damaged, or was moved here")
	if _, err := k.Secrets.Get(t.Context(), "hook/club"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v, want fs.ErrNotExist", err)
	}
	for _, user := range []string{"alice", "carol"} {
		wantText(t, c.refused("ls-remote", k.url(user, "secrets")), "not found")
	}
}

// In the repository carol's file is a delta against alice's: that must show
// neither in what she fetches nor keep her from fetching it.
func TestDeltaAcrossSites(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "r.git")
	disk := newDisk(t, dir)
	k := newKitOn(t, disk)
	must(t, k.Config.AddSite(t.Context(), root, config.Site{Name: "carols", Owner: "carol"}))
	var text strings.Builder
	for i := range 3000 {
		fmt.Fprintf(&text, "line %d of a long text, %d\n", i, i*i)
	}
	alices := k.pushed(t, "alice", "www", "main", "long.txt", text.String()+"with alice's secret, which makes it the longer one\n")
	carols := k.pushed(t, "carol", "carols", "main", "long.txt", text.String()+"with carol's\n")
	base, own := alices.rev("HEAD:long.txt"), carols.rev("HEAD:long.txt")
	must(t, disk.Close()) // packs that have just come are kept from git gc for a while
	repo := &work{t: t, dir: dir, env: carols.env}
	repo.git("repack", "-a", "-d", "-f", "-q", "--window=50")
	packs, err := filepath.Glob(filepath.Join(dir, "objects/pack/*.idx"))
	must(t, err)
	wantText(t, repo.git(append([]string{"verify-pack", "-v"}, packs...)...), "1 "+base) // own, at depth 1, against base

	again := openKit(t, newDisk(t, dir))
	for _, args := range [][]string{nil, {"--depth=1"}, {"--filter=blob:none"}, {"-c", "protocol.version=0"}} {
		c := newWork(t)
		c.git(append(append([]string{"clone", "-q"}, args...), again.url("carol", "carols"), "c")...)
		c.dir = filepath.Join(c.dir, "c")
		if got := c.rev("HEAD:long.txt"); got != own {
			t.Errorf("clone %v: long.txt is %s, want %s", args, got, own)
		}
		c.git("fsck", "--strict")
		if c.env = append(c.env, "GIT_NO_LAZY_FETCH=1"); c.has(base) {
			t.Errorf("clone %v brings alice's file", args)
		}
	}
}
