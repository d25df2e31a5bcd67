package git

import (
	"path/filepath"
	"strings"
	"testing"

	"cairn/services/config"
)

// A hidden is a secret of alice's in www, all whose hashes mallory (here carol,
// with a site of her own) has learnt.
type hidden struct {
	*kit
	commit, tree, subtree, blob, tag string
	old                              string // the commit before
	own                              *work  // carol's, pushed to carols
	tip                              string // of it
}

const secretText = "alice's secret: the treasure lies under the third oak\n"

func newHidden(t *testing.T) *hidden {
	t.Helper()
	k := newKit(t)
	must(t, k.Config.AddSite(t.Context(), root, config.Site{Name: "carols", Owner: "carol"}))
	w := newWork(t)
	old := w.commit("index.html", "public")
	w.commit("private/secret.txt", secretText)
	w.git("tag", "-a", "-m", "secret tag", "v1")
	w.git("push", "-q", k.url("alice", "www"), "HEAD:main", "HEAD~1:refs/heads/older", "v1")
	h := &hidden{kit: k, old: old, commit: w.rev("HEAD"), tree: w.rev("HEAD^{tree}"), subtree: w.rev("HEAD:private"),
		blob: w.rev("HEAD:private/secret.txt"), tag: w.rev("v1")}
	h.own = k.pushed(t, "carol", "carols", "main", "index.html", "carol's own")
	h.tip = h.own.rev("HEAD")
	return h
}

func (h *hidden) each() map[string]string {
	return map[string]string{"commit": h.commit, "tree": h.tree, "subtree": h.subtree, "blob": h.blob, "tag": h.tag, "old commit": h.old}
}

// wantNothing reports what of the secret is in an answer.
func (h *hidden) wantNothing(t *testing.T, what, answer string) {
	t.Helper()
	if strings.Contains(answer, "PACK") {
		t.Errorf("%s: there is a pack in the answer %.300q", what, answer)
	}
}

// Asking for a hash, as stock git does and by hand, in all protocol versions.
func TestFetchHiddenHash(t *testing.T) {
	h := newHidden(t)
	for what, hash := range h.each() {
		for _, version := range []string{"0", "2"} {
			h.own.refused("-c", "protocol.version="+version, "fetch", "-q", h.url("carol", "carols"), hash)
		}
		if h.own.has(hash) {
			t.Errorf("%s: carol has it", what)
		}
		_, answer := h.fetch0(t, "carol", "carols", "want "+hash+" side-band-64k ofs-delta\n", "0000", "done\n")
		h.wantNothing(t, "v0 "+what, answer)
		_, answer = h.fetch0(t, "carol", "carols", "want "+h.tip+" side-band-64k ofs-delta\n", "want "+hash+"\n", "0000", "done\n")
		h.wantNothing(t, "v0, beside her own "+what, answer)
		_, answer = h.fetch2(t, "carol", "carols", "want "+hash+"\n", "done\n")
		h.wantNothing(t, "v2 "+what, answer)
		_, answer = h.fetch2(t, "carol", "carols", "want "+h.tip+"\n", "want "+hash+"\n", "done\n")
		h.wantNothing(t, "v2, beside her own "+what, answer)
		_, answer = h.fetch2(t, "carol", "carols", "filter blob:none\n", "want "+hash+"\n", "done\n")
		h.wantNothing(t, "v2 lazily "+what, answer)
	}
	// The requests are good ones: for her own hash they work.
	if _, answer := h.fetch2(t, "carol", "carols", "want "+h.tip+"\n", "done\n"); !strings.Contains(answer, "PACK") {
		t.Errorf("her own in v2: got %.200q, want a pack", answer)
	}
	if _, answer := h.fetch0(t, "carol", "carols", "want "+h.tip+" side-band-64k ofs-delta\n", "0000", "done\n"); !strings.Contains(answer, "PACK") {
		t.Errorf("her own in v0: got %.200q, want a pack", answer)
	}
}

// A hash that is there but hidden and one that is nowhere get the same answer.
func TestHiddenLooksAbsent(t *testing.T) {
	h := newHidden(t)
	nowhere := strings.Repeat("5", 40)
	for what, hash := range h.each() {
		same := func(how string, ask func(hash string) (int, string)) {
			t.Helper()
			s1, hid := ask(hash)
			s2, none := ask(nowhere)
			if s1 != s2 || strings.ReplaceAll(hid, hash, nowhere) != none {
				t.Errorf("%s, %s: hidden %d %q, absent %d %q", what, how, s1, hid, s2, none)
			}
		}
		same("want v0", func(hash string) (int, string) {
			return h.fetch0(t, "carol", "carols", "want "+hash+" side-band-64k\n", "0000", "done\n")
		})
		same("want v2", func(hash string) (int, string) { return h.fetch2(t, "carol", "carols", "want "+hash+"\n", "done\n") })
		same("have v0", func(hash string) (int, string) {
			return h.fetch0(t, "carol", "carols", "want "+h.tip+" multi_ack_detailed side-band-64k\n", "0000", "have "+hash+"\n", "0000")
		})
		same("have v2", func(hash string) (int, string) {
			return h.fetch2(t, "carol", "carols", "want "+h.tip+"\n", "have "+hash+"\n")
		})
		same("shallow v2", func(hash string) (int, string) {
			return h.fetch2(t, "carol", "carols", "want "+h.tip+"\n", "shallow "+hash+"\n", "deepen 1\n", "done\n")
		})
		same("shallow v0", func(hash string) (int, string) {
			return h.fetch0(t, "carol", "carols", "want "+h.tip+" shallow side-band-64k\n", "shallow "+hash+"\n", "deepen 1\n", "0000", "done\n")
		})
		same("new branch", func(hash string) (int, string) {
			return h.push(t, "carol", "carols", []string{zero + " " + hash + " refs/heads/steal"}, nil)
		})
		same("old value", func(hash string) (int, string) {
			return h.push(t, "carol", "carols", []string{hash + " " + zero + " refs/heads/steal"}, nil)
		})
		same("parent", func(hash string) (int, string) {
			c := commit(tree().Hash(), hash)
			s, answer := h.push(t, "carol", "carols", []string{zero + " " + c.Hash().String() + " refs/heads/steal"},
				makePack(t, item{Object: c}, item{Object: tree()}))
			return s, strings.ReplaceAll(answer, c.Hash().String(), "COMMIT")
		})
		same("tree", func(hash string) (int, string) {
			c := commit(hash20(hash))
			s, answer := h.push(t, "carol", "carols", []string{zero + " " + c.Hash().String() + " refs/heads/steal"}, makePack(t, item{Object: c}))
			return s, strings.ReplaceAll(answer, c.Hash().String(), "COMMIT")
		})
	}
	for _, name := range []string{"refs/heads/site/www/main", "refs/heads/accounts", "refs/tags/site/www/v1"} {
		_, hid := h.fetch2(t, "carol", "carols", "want "+h.tip+"\n", "deepen-not "+name+"\n", "done\n")
		nowhere := name[:len(name)-1] + "q"
		_, none := h.fetch2(t, "carol", "carols", "want "+h.tip+"\n", "deepen-not "+nowhere+"\n", "done\n")
		if strings.ReplaceAll(hid, name, nowhere) != none {
			t.Errorf("deepen-not %s: got %q, for one that is nowhere %q", name, hid, none)
		}
		h.own.refused("fetch", "-q", "--shallow-exclude="+name, h.url("carol", "carols"), "main")
	}
}

// A lazy fetch of a partial clone is a fetch like any other.
func TestPartialClone(t *testing.T) {
	h := newHidden(t)
	w := newWork(t)
	w.git("clone", "-q", "--filter=blob:none", "--no-checkout", h.url("carol", "carols"), "c")
	w.dir = filepath.Join(w.dir, "c")
	if got := w.git("cat-file", "-p", "HEAD:index.html"); got != "carol's own" {
		t.Errorf("her own, lazily: got %q", got)
	}
	for _, hash := range []string{h.blob, h.subtree, h.commit} {
		w.refused("cat-file", "-p", hash)
	}
}
