package git

import (
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"cairn/services/config"
	"cairn/store/object"
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
		for _, version := range []string{"0", "1", "2"} {
			h.own.refused("-c", "protocol.version="+version, "fetch", "-q", h.url("carol", "carols"), hash)
			h.own.refused("-c", "protocol.version="+version, "fetch", "-q", "--depth=1", h.url("carol", "carols"), hash)
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

// Only a site's own refs are listed, however the client asks.
func TestListing(t *testing.T) {
	h := newHidden(t)
	for _, version := range []string{"0", "1", "2"} {
		got := h.own.git("-c", "protocol.version="+version, "ls-remote", h.url("carol", "carols"))
		if want := h.tip + "\tHEAD\n" + h.tip + "\trefs/heads/main"; got != want {
			t.Errorf("version %s: got\n%s\nwant\n%s", version, got, want)
		}
	}
	for _, prefix := range []string{"", "refs/", "refs/heads/", "refs/heads/site/", "refs/heads/site/www/", "refs/heads/accounts", "refs/tags/site/www", "../", "refs/heads/../", "HEAD", "refs/heads/config"} {
		_, body := h.send(t, "carol", http.MethodPost, "/carols/git-upload-pack",
			http.Header{"Content-Type": {"application/x-git-upload-pack-request"}, "Git-Protocol": {"version=2"}},
			pkt("command=ls-refs", "0001", "peel\n", "symrefs\n", "unborn\n", "ref-prefix "+prefix+"\n", "0000"))
		for _, hash := range h.each() {
			if strings.Contains(string(body), hash) || strings.Contains(string(body), "site/") || strings.Contains(string(body), "accounts") {
				t.Errorf("ref-prefix %q: got %q", prefix, body)
			}
		}
	}
	for _, name := range []string{"refs/heads/site/www/main", "refs/heads/main/../../site/www/main", "refs/heads/accounts"} {
		h.own.refused("fetch", "-q", h.url("carol", "carols"), name)
		_, answer := h.fetch2(t, "carol", "carols", "want-ref "+name+"\n", "done\n")
		h.wantNothing(t, "want-ref "+name, answer)
	}
}

// Names that mean another branch somewhere else.
func TestRefNameTricks(t *testing.T) {
	h := newHidden(t)
	before := allRefs(t, h.kit)
	for _, name := range []string{
		"refs/heads/../../accounts", "refs/heads/../www/main", "refs/heads/x/../../www/main", "refs/heads/./main", "refs/heads//main",
		"refs/heads/", "refs/heads", "HEAD", "refs/HEAD", "refs/heads/HEAD", "main", "refs/heads/main.lock", "refs/heads/a\\..\\b",
		"refs/heads/main\x01", "refs/heads/ma in", "refs/heads/\xff..\xff", "refs/heads/a..b", "refs/heads/@{x", "refs/notes/commits", "refs/replace/" + h.commit,
		"refs/remotes/origin/main", "refs/stash", "refs/Heads/main", "REFS/heads/main", "refs/headsX/main", "refs/heads/" + strings.Repeat("x", 5000),
		"refs/site/www/main", "../refs/heads/accounts", "/refs/heads/accounts", "refs/heads/main/", "refs/heads/-", "refs/heads/main~1", "config", "objects/info/alternates",
	} {
		_, report := h.push(t, "carol", "carols", []string{zero + " " + h.tip + " " + name}, nil)
		if strings.Contains(report, "ok "+name) && name != "refs/heads/-" {
			t.Errorf("%.60q: accepted: %q", name, report)
		}
		h.push(t, "carol", "carols", []string{h.commit + " " + zero + " " + name}, nil)
		h.push(t, "carol", "carols", []string{h.commit + " " + h.tip + " " + name}, nil)
	}
	for name, hash := range before {
		if got := h.real(t, name); got != hash {
			t.Errorf("%s: is at %s, want %s", name, got, hash)
		}
	}
	// Names of other branches mean her own of that name.
	h.own.git("push", "-q", h.url("carol", "carols"), "HEAD:refs/heads/site/www/main", "HEAD:refs/heads/accounts", "HEAD:refs/heads/MAIN2")
	for name, hash := range before {
		if got := h.real(t, name); got != hash {
			t.Errorf("%s: is at %s, want %s", name, got, hash)
		}
	}
	for _, name := range []string{"site/www/main", "accounts", "MAIN2"} {
		if got := h.real(t, "refs/heads/site/carols/"+name); got != h.tip {
			t.Errorf("carol's %s: is at %s, want %s", name, got, h.tip)
		}
	}
}

func allRefs(t *testing.T, k *kit) map[string]string {
	t.Helper()
	all := map[string]string{}
	for ref, err := range k.Repo.Backend().Refs(t.Context(), "refs/") {
		must(t, err)
		all[ref.Name] = ref.Hash.String()
	}
	return all
}

// What is forbidden and what does not exist get the same answer, byte for byte.
func TestForbiddenLooksAbsent(t *testing.T) {
	h := newHidden(t)
	answer := func(user, place, query string) string {
		resp, body := h.send(t, user, http.MethodGet, "/"+place+query, nil, nil)
		resp.Header.Del("Date")
		return fmt.Sprint(resp.StatusCode, resp.Header, body)
	}
	for _, query := range []string{"/info/refs?service=git-upload-pack", "/info/refs?service=git-receive-pack", "/info/refs", "/HEAD", ""} {
		for _, user := range []string{"", "carol"} {
			want := answer(user, "nowhere", query)
			for _, place := range []string{"www", "www.git", "club", "accounts", "config", "secrets", "queue", "all", "dav/alice", "mail/alice", "lists/club", "dav/nobody"} {
				if got := answer(user, place, query); got != want {
					t.Errorf("%q asks for %s%s: got %s, for one that is not there %s", user, place, query, got, want)
				}
			}
			status := map[string]string{"": "401", "carol": "404"}[user]
			if strings.HasPrefix(query, "/info/refs?") && !strings.HasPrefix(want, status) {
				t.Errorf("%q, %s: got %s, want %s", user, query, want, status)
			}
		}
	}
	for _, place := range []string{"www", "accounts", "nowhere"} {
		for _, user := range []string{"", "carol"} {
			want := map[string]int{"": 401, "carol": 404}[user]
			if status, _ := h.fetch2(t, user, place, "want "+h.commit+"\n", "done\n"); status != want {
				t.Errorf("%q posts a fetch to %s: got %d, want %d", user, place, status, want)
			}
			if status, _ := h.push(t, user, place, []string{zero + " " + h.tip + " refs/heads/x"}, nil); status != want {
				t.Errorf("%q posts a push to %s: got %d, want %d", user, place, status, want)
			}
		}
	}
}

// Pushing where one may not.
func TestPushElsewhere(t *testing.T) {
	h := newHidden(t)
	before := allRefs(t, h.kit)
	for _, place := range []string{"www", "club", "accounts", "config", "secrets", "all", "dav/alice", "queue", "nowhere"} {
		wantText(t, h.own.refused("push", h.url("carol", place), "HEAD:refs/heads/main"), "not found")
	}
	wantText(t, h.own.refused("push", h.url("bob", "www"), "HEAD:refs/heads/x"), "403") // he may read it, so he may know
	wantText(t, h.own.refused("push", h.url("", "www"), "HEAD:refs/heads/x"), "could not read Username")
	for name, hash := range before {
		if got := h.real(t, name); got != hash {
			t.Errorf("%s: is at %s, want %s", name, got, hash)
		}
	}
}

// Strange spellings of a URL's path lead nowhere, or to what may be seen anyway.
func TestPathTricks(t *testing.T) {
	h := newHidden(t)
	for _, path := range []string{
		"/../accounts", "/carols/../accounts", "/carols/../www", "/%2e%2e/accounts", "/carols%2f..%2fwww", "/carols%2F..%2Faccounts", "/carols/%2e%2e/www",
		"/./www", "//www", "/www//", "/WWW", "/www%00", "/www%0a", "/www%20", "/%77ww", "/www.git.git", "/www/.git", "/carols/../../accounts",
		"/refs/heads/accounts", "/accounts.git", "/ACCOUNTS", "/accounts%00.git", "/all/www", "/all/../www", "/dav/../accounts", "/dav/alice/../alice", "/dav//alice",
		"/%ff%fe", "/" + strings.Repeat("x", 10000), "/www;carols", "/carols@accounts", "/~alice", "/dav/%61lice",
	} {
		for _, query := range []string{"/info/refs?service=git-upload-pack", "/info/refs?service=git-receive-pack"} {
			resp, body := h.send(t, "carol", http.MethodGet, path+query, nil, nil)
			if resp.StatusCode < 300 || resp.StatusCode >= 500 {
				t.Errorf("%.60q: got %d %.200q, want a refusal", path, resp.StatusCode, body)
			}
			for what, hash := range h.each() {
				if strings.Contains(body, hash) {
					t.Errorf("%.60q: shows the %s", path, what)
				}
			}
		}
	}
}

func TestGuessingOverHTTP(t *testing.T) {
	k := newKit(t)
	statuses := map[int]int{}
	for i := range 30 {
		resp, _ := k.send(t, "", http.MethodGet, "/www/info/refs?service=git-upload-pack",
			http.Header{"Authorization": {basic("bob", fmt.Sprint("guess ", i))}}, nil)
		statuses[resp.StatusCode]++
		if resp.StatusCode == http.StatusTooManyRequests && resp.Header.Get("Retry-After") == "" {
			t.Error("429 without Retry-After")
		}
	}
	if statuses[401] == 0 || statuses[401] > 6 || statuses[401]+statuses[429] != 30 {
		t.Errorf("got %v, want 5 × 401, the rest 429", statuses)
	}
	for _, header := range []string{"Basic", "Basic !!!", "Bearer x", "Basic " + strings.Repeat("A", 8000), ":"} {
		resp, _ := k.send(t, "", http.MethodGet, "/www/info/refs?service=git-upload-pack", http.Header{"Authorization": {header}}, nil)
		if resp.StatusCode < 400 || resp.StatusCode >= 500 {
			t.Errorf("Authorization %.20q: got %d, want 4xx", header, resp.StatusCode)
		}
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

const zero = "0000000000000000000000000000000000000000"

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
