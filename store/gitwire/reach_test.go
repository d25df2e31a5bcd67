package gitwire

import (
	"context"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"cairn/store"
	"cairn/store/mem"
	"cairn/store/object"
)

// twoHouses is a backend with two branches that share no history, and the
// objects of each: its tip, its tree, its subtree and its file.
func twoHouses(t testing.TB, b store.Backend) (mine, theirs []store.Hash) {
	t.Helper()
	g := newGitRepo(t)
	g.git(t, "init", "-q", g.dir)
	for _, name := range []string{"mine", "theirs"} {
		g.git(t, "checkout", "-q", "--orphan", name)
		g.git(t, "rm", "-q", "-r", "-f", "--ignore-unmatch", ".")
		g.commit(t, "first of "+name, "folder/"+name, name)
		g.commit(t, "second of "+name, "other", "other of "+name)
		g.git(t, "tag", "-a", "-m", "x", "tag-of-"+name)
		var all []store.Hash
		for _, rev := range []string{"", "~1", "^{tree}", ":folder", ":folder/" + name} {
			all = append(all, hashOf(t, g.rev(t, name+rev)))
		}
		all = append(all, hashOf(t, g.rev(t, "tag-of-"+name)))
		if name == "mine" {
			mine = all
		} else {
			theirs = all
		}
	}
	load(t, b, g)
	return mine, theirs
}

// onlyMine shows one of the two houses.
func onlyMine(b store.Backend) *View {
	v := showSome(b, func(name string) bool { return strings.HasSuffix(name, "mine") })
	v.Head = "refs/heads/mine"
	return v
}

func TestReach(t *testing.T) {
	b := newDisk(t)
	mine, theirs := twoHouses(t, b)
	refs, err := shownRefs(t.Context(), onlyMine(b))
	if err != nil {
		t.Fatal(err)
	}
	absent := hashOf(t, strings.Repeat("ab", 20))
	asked := slices.Concat(mine, theirs, []store.Hash{absent})
	want := slices.Concat(theirs, []store.Hash{absent})
	for turn := range asked {
		// Whatever is asked first, the answers are the same.
		asked := slices.Concat(asked[turn:], asked[:turn])
		r := newReach(newGraph(b), refs)
		for _, h := range asked {
			got, err := r.has(t.Context(), h)
			if err != nil || got == slices.Contains(want, h) {
				t.Errorf("has(%s): got %v, %v, want %v", h, got, err, !got)
			}
		}
		missing, err := newReach(newGraph(b), refs).missing(t.Context(), asked)
		if err != nil || len(missing) != len(want) {
			t.Errorf("missing: got %v, %v, want %d", missing, err, len(want))
		}
		for _, h := range missing {
			if !slices.Contains(want, h) {
				t.Errorf("missing: got %s, which is reachable", h)
			}
		}
	}
}

// TestWantOfOthers names other users' objects, in each protocol, by each way
// stock git has.
func TestWantOfOthers(t *testing.T) {
	setups(t, func(t *testing.T, b store.Backend, config string) {
		mine, theirs := twoHouses(t, b)
		url := serveView(t, onlyMine(b))
		absent := hashOf(t, strings.Repeat("ab", 20))
		clone := newGitRepo(t)
		clone.git(t, "init", "-q", clone.dir)
		for _, h := range mine {
			if out, err := clone.try(t, "-c", config, "fetch", url, h.String()); err != nil {
				t.Errorf("fetch %s: %v\n%s", h, err, out)
			}
		}
		for _, h := range slices.Concat(theirs, []store.Hash{absent}) {
			out, err := clone.try(t, "-c", config, "fetch", url, h.String())
			if err == nil || !strings.Contains(out, "upload-pack: not our ref "+h.String()) {
				t.Errorf("fetch %s: got %v\n%s\nwant not our ref", h, err, out)
			}
		}
		if got := clone.objects(t); len(got) == 0 || slices.ContainsFunc(got, func(o string) bool {
			return slices.ContainsFunc(theirs, func(h store.Hash) bool { return strings.HasPrefix(o, h.String()) })
		}) {
			t.Errorf("objects that came: %q", got)
		}
	})
}

// TestHaveOfOthers claims to have other users' commits: an acknowledgment would
// say that they exist.
func TestHaveOfOthers(t *testing.T) {
	b := newDisk(t)
	mine, theirs := twoHouses(t, b)
	v := onlyMine(b)
	for _, h := range []store.Hash{theirs[0], theirs[1], theirs[5]} {
		out := answer(t, v, 2, "command=fetch", "0001", "want "+mine[0].String(), "have "+h.String(), "0000")
		if want := "acknowledgments NAK 0000"; out != want {
			t.Errorf("v2: have %s: got %q, want %q", h, out, want)
		}
		out = answer(t, v, 0, "want "+mine[0].String()+" multi_ack_detailed", "0000", "have "+h.String(), "0000")
		if want := "NAK"; out != want {
			t.Errorf("v0: have %s: got %q, want %q", h, out, want)
		}
	}
	out := answer(t, v, 2, "command=fetch", "0001", "want "+mine[0].String(), "have "+mine[1].String(), "have "+theirs[1].String(), "wait-for-done", "0000")
	if want := "acknowledgments ACK " + mine[1].String() + " 0000"; out != want {
		t.Errorf("v2: got %q, want %q", out, want)
	}
}

// TestShallowOfOthers uses other users' commits and refs in the lines that
// change the depth.
func TestShallowOfOthers(t *testing.T) {
	b := newDisk(t)
	mine, theirs := twoHouses(t, b)
	v := onlyMine(b)
	out := answer(t, v, 2, "command=fetch", "0001", "want "+mine[0].String(),
		"shallow "+theirs[0].String(), "deepen 2147483647", "done", "0000")
	if strings.Contains(out, "unshallow") || strings.Contains(out, theirs[1].String()) {
		t.Errorf("unshallow: got %q", out)
	}
	out = answer(t, v, 2, "command=fetch", "0001", "want "+mine[0].String(), "deepen-not theirs", "done", "0000")
	if want := `ERR upload-pack: deepen-not is not a ref: "theirs"`; out != want {
		t.Errorf("deepen-not: got %q, want %q", out, want)
	}
}

// TestKeptSearches asks over and over for what is not there: only the first request
// reads anything. Other tips get a search of their own.
func TestKeptSearches(t *testing.T) {
	b := &readCounter{Backend: mem.New()}
	mine, theirs := twoHouses(t, b.Backend)
	narrow, wide := onlyMine(b), showAll(b)
	kept := &keptSearches{}
	narrow.searches, wide.searches = kept, kept
	ask := func(v *View, h store.Hash) string {
		return answer(t, v, 2, "command=fetch", "0001", "want "+h.String(), "done", "0000")
	}
	refused := "ERR upload-pack: not our ref "
	var reads []int64
	for _, h := range []store.Hash{theirs[3], theirs[3], theirs[4], {1}} {
		b.reads.Store(0)
		if got, want := ask(narrow, h), refused+h.String(); got != want {
			t.Errorf("want %s: got %q, want %q", h, got, want)
		}
		reads = append(reads, b.reads.Load())
	}
	if reads[0] == 0 || reads[1]+reads[2]+reads[3] > 0 {
		t.Errorf("objects read: got %v, want some and then none", reads)
	}
	if got, want := ask(wide, theirs[3]), "packfile"; got != want {
		t.Errorf("want of the wide view: got %q, want %q", got, want)
	}
	if got, want := ask(narrow, theirs[3]), refused+theirs[3].String(); got != want {
		t.Errorf("after the wide view: got %q, want %q", got, want)
	}
	if got, want := ask(narrow, mine[4]), "packfile"; got != want {
		t.Errorf("want of mine: got %q, want %q", got, want)
	}
	if len(kept.reach) != 2 {
		t.Errorf("kept: got %d searches, want 2", len(kept.reach))
	}
}

// A readCounter counts the objects that are read.
type readCounter struct {
	store.Backend
	reads atomic.Int64
}

func (c *readCounter) Object(ctx context.Context, h store.Hash) (object.Object, error) {
	c.reads.Add(1)
	return c.Backend.Object(ctx, h)
}

// TestKeptSearchesBound keeps no more than it may, the newest.
func TestKeptSearchesBound(t *testing.T) {
	kept := &keptSearches{}
	for i := range byte(5) {
		r := kept.take(mem.New(), []store.Ref{{Hash: store.Hash{i}}})
		r.started = true
		for n := range maxKept / 2 {
			r.seen[store.Hash{1, byte(n), byte(n >> 8), byte(n >> 16)}] = struct{}{}
		}
		kept.keep(r)
	}
	total := 0
	for _, r := range kept.reach {
		total += r.size()
	}
	if total > maxKept || len(kept.reach) != 1 {
		t.Errorf("kept: got %d searches of size %d, want 1 below %d", len(kept.reach), total, maxKept)
	}
}
