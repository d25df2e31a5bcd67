package gitwire

import (
	"bytes"
	"compress/zlib"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"testing"

	"cairn/store"
	"cairn/store/object"
	"cairn/store/pack"
)

func blob(text string) object.Object {
	return object.Object{Type: object.TypeBlob, Data: []byte(text)}
}

// folder makes a tree from names and what they name, in git's order.
func folder(entries map[string]object.Object) object.Object {
	var list []object.Entry
	for name, o := range entries {
		mode := object.ModeFile
		if o.Type == object.TypeTree {
			mode = object.ModeDir
		}
		list = append(list, object.Entry{Name: name, Mode: mode, Hash: o.Hash()})
	}
	slices.SortFunc(list, func(a, b object.Entry) int { return object.CompareNames(a.Name, a.Mode, b.Name, b.Mode) })
	return object.Object{Type: object.TypeTree, Data: object.AppendTree(nil, list)}
}

func commitOf(date int, tree store.Hash, parents ...store.Hash) object.Object {
	var b strings.Builder
	fmt.Fprintf(&b, "tree %s\n", tree)
	for _, p := range parents {
		fmt.Fprintf(&b, "parent %s\n", p)
	}
	fmt.Fprintf(&b, "author A <a@example.org> %d +0000\ncommitter A <a@example.org> %d +0000\n\nm\n", date, date)
	return object.Object{Type: object.TypeCommit, Data: []byte(b.String())}
}

func tagOf(h store.Hash, t object.Type) object.Object {
	return object.Object{Type: object.TypeTag, Data: fmt.Appendf(nil,
		"object %s\ntype %s\ntag x\ntagger A <a@example.org> 1 +0000\n\nm\n", h, t)}
}

// packOf makes a pack of whole objects.
func packOf(t testing.TB, objs ...object.Object) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := (&outgoingPack{objs: once(objs)}).write(t.Context(), &b, false, false); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// thinPackOf makes a pack with one delta on an object that is not in it, and
// whole objects.
func thinPackOf(t testing.TB, base store.Hash, baseData, data []byte, objs ...object.Object) []byte {
	t.Helper()
	var b bytes.Buffer
	w := pack.NewWriter(&b, uint32(len(objs)+1), pack.Fast)
	w.RefDelta = true
	delta := pack.Delta(baseData, data)
	entry := pack.Entry{Type: object.TypeBlob, Size: int64(len(delta)), Base: base, Data: zlibOf(delta)}
	if err := w.Entry(blob(string(data)).Hash(), entry); err != nil {
		t.Fatal(err)
	}
	for _, o := range objs {
		if _, err := w.Object(o); err != nil {
			t.Fatal(err)
		}
	}
	if _, _, err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func zlibOf(data []byte) []byte {
	var b bytes.Buffer
	w := zlib.NewWriter(&b)
	w.Write(data)
	w.Close()
	return b.Bytes()
}

// rawPush sends a hand-made push and returns the report's lines, joined.
func rawPush(t testing.TB, v *View, caps string, data []byte, commands ...Command) string {
	t.Helper()
	var lines []string
	for _, c := range commands {
		lines = append(lines, fmt.Sprintf("%s %s %s", c.Old, c.New, c.Name))
	}
	return rawLines(t, v, caps, data, lines...)
}

func rawLines(t testing.TB, v *View, caps string, data []byte, lines ...string) string {
	t.Helper()
	var in, out bytes.Buffer
	w := newPktWriter(&in)
	for i, line := range lines {
		if i == 0 {
			line += "\x00 report-status " + caps
		}
		w.line(line)
	}
	w.flush()
	w.send()
	in.Write(data)
	// The error is for the log; the client is told in the report.
	_ = serveReceive(context.Background(), v, 0, &in, &out, true, false)
	var report []string
	for r := newPktReader(&out); ; {
		kind, line, err := r.text()
		if err != nil || kind == pktFlush {
			return strings.Join(report, "; ")
		}
		report = append(report, line)
	}
}

// A house holds what the tests with hand-made requests push to: alice's
// repository, which has the branch main with two commits, and a
// branch of bob's that she does not see.
type house struct {
	b                    receivingBackend
	v                    *View
	text, old            object.Object // in the second and in the first commit
	first, second        object.Object
	root                 object.Object // tree of second
	secret               object.Object // bob's blob
	secretDir, bobs      object.Object // his tree and commit
	secretOld, bobsFirst object.Object // his first commit's blob, and it
}

func newHouse(t testing.TB) *house {
	t.Helper()
	h := &house{b: newMemory(t)}
	h.old = blob("an older text\n")
	h.text = blob(longText(1, 50))
	inner := folder(map[string]object.Object{"text": h.text})
	first := folder(map[string]object.Object{"gone": h.old})
	h.root = folder(map[string]object.Object{"dir": inner, "top": h.text})
	h.first = commitOf(100, first.Hash())
	h.second = commitOf(200, h.root.Hash(), h.first.Hash())
	h.secret = blob(longText(2, 50))
	h.secretDir = folder(map[string]object.Object{"secret": h.secret})
	h.secretOld = blob("bob's first\n")
	bobsRoot := folder(map[string]object.Object{"f": h.secretOld})
	h.bobsFirst = commitOf(100, bobsRoot.Hash())
	h.bobs = commitOf(200, h.secretDir.Hash(), h.bobsFirst.Hash())
	objs := []object.Object{
		h.old, h.text, inner, first, h.root, h.first, h.second,
		h.secret, h.secretDir, h.bobs, h.secretOld, bobsRoot, h.bobsFirst,
	}
	err := h.b.Commit(context.Background(), objs, []store.RefChange{
		{Name: "refs/heads/site/www/main", New: h.second.Hash()},
		{Name: "refs/heads/mail/bob", New: h.bobs.Hash()},
	})
	if err != nil {
		t.Fatal(err)
	}
	l := &lab{t: t, backend: h.b, force: true}
	h.v = l.view()
	return h
}

// push pushes a commit with this tree onto main.
func (h *house) push(t testing.TB, tree store.Hash, objs ...object.Object) string {
	t.Helper()
	c := commitOf(300, tree, h.second.Hash())
	return rawPush(t, h.v, "", packOf(t, append(objs, c)...),
		Command{Name: "refs/heads/main", Old: h.second.Hash(), New: c.Hash()})
}

const (
	wholly  = "unpack ok; ok refs/heads/main"
	missing = "unpack ok; ng refs/heads/main missing necessary objects"
)

func (h *house) wantReport(t testing.TB, got, want string) {
	t.Helper()
	if got != want {
		t.Errorf("report: got %q, want %q", got, want)
	}
	ref, err := h.b.Ref(context.Background(), "refs/heads/site/www/main")
	if err != nil {
		t.Fatal(err)
	}
	if moved, want := ref.Hash != h.second.Hash(), strings.Contains(want, "; ok refs/heads/main"); moved != want {
		t.Errorf("main has moved: got %t, want %t", moved, want)
	}
}

func TestConnectivityCountsOnlyWhatIsSeen(t *testing.T) {
	t.Run("a blob of bob's", func(t *testing.T) {
		h := newHouse(t)
		tree := folder(map[string]object.Object{"x": h.secret})
		h.wantReport(t, h.push(t, tree.Hash(), tree), missing)
	})
	t.Run("a blob that nobody has", func(t *testing.T) {
		h := newHouse(t)
		tree := folder(map[string]object.Object{"x": blob("nobody's")})
		h.wantReport(t, h.push(t, tree.Hash(), tree), missing)
	})
	t.Run("a folder of bob's", func(t *testing.T) {
		h := newHouse(t)
		tree := folder(map[string]object.Object{"x": h.secretDir})
		h.wantReport(t, h.push(t, tree.Hash(), tree), missing)
	})
	t.Run("a root of bob's", func(t *testing.T) {
		h := newHouse(t)
		h.wantReport(t, h.push(t, h.secretDir.Hash()), missing)
	})
	t.Run("a parent of bob's", func(t *testing.T) {
		h := newHouse(t)
		c := commitOf(300, h.root.Hash(), h.second.Hash(), h.bobs.Hash())
		h.wantReport(t, rawPush(t, h.v, "", packOf(t, c),
			Command{Name: "refs/heads/main", Old: h.second.Hash(), New: c.Hash()}), missing)
	})
	t.Run("an older commit of bob's as the tip", func(t *testing.T) {
		h := newHouse(t)
		h.wantReport(t, rawPush(t, h.v, "", packOf(t),
			Command{Name: "refs/heads/main", Old: h.second.Hash(), New: h.bobsFirst.Hash()}), missing)
	})
	t.Run("a tag of bob's commit", func(t *testing.T) {
		h := newHouse(t)
		tag := tagOf(h.bobs.Hash(), object.TypeCommit)
		got := rawPush(t, h.v, "", packOf(t, tag), Command{Name: "refs/tags/x", New: tag.Hash()})
		if want := "unpack ok; ng refs/tags/x missing necessary objects"; got != want {
			t.Errorf("report: got %q, want %q", got, want)
		}
	})
	t.Run("beside a parent that names bob's root", func(t *testing.T) {
		h := newHouse(t)
		// The first commit's tree is bob's, so the second's seems to change nothing.
		lying := commitOf(300, h.secretDir.Hash(), h.second.Hash())
		tree := folder(map[string]object.Object{"secret": h.secret, "top": h.text})
		c := commitOf(400, tree.Hash(), lying.Hash())
		h.wantReport(t, rawPush(t, h.v, "", packOf(t, lying, tree, c),
			Command{Name: "refs/heads/main", Old: h.second.Hash(), New: c.Hash()}), missing)
	})
	t.Run("beside a submodule that has the hash of bob's blob", func(t *testing.T) {
		h := newHouse(t)
		// What a submodule names is in another repository: nobody checks that it is there.
		before := object.Object{Type: object.TypeTree, Data: object.AppendTree(nil,
			[]object.Entry{{Name: "x", Mode: object.ModeSubmodule, Hash: h.secret.Hash()}})}
		lying := commitOf(300, before.Hash(), h.second.Hash())
		tree := folder(map[string]object.Object{"x": h.secret})
		c := commitOf(400, tree.Hash(), lying.Hash())
		h.wantReport(t, rawPush(t, h.v, "", packOf(t, before, lying, tree, c),
			Command{Name: "refs/heads/main", Old: h.second.Hash(), New: c.Hash()}), missing)
	})
	t.Run("a blob called a folder", func(t *testing.T) {
		h := newHouse(t)
		tree := object.Object{Type: object.TypeTree, Data: object.AppendTree(nil,
			[]object.Entry{{Name: "x", Mode: object.ModeDir, Hash: h.text.Hash()}})}
		h.wantReport(t, h.push(t, tree.Hash(), tree), missing)
	})
}

func TestConnectivityFindsWhatIsSeen(t *testing.T) {
	t.Run("a file moved", func(t *testing.T) {
		h := newHouse(t)
		tree := folder(map[string]object.Object{"moved": h.text})
		h.wantReport(t, h.push(t, tree.Hash(), tree), wholly)
	})
	t.Run("a file restored", func(t *testing.T) {
		h := newHouse(t)
		tree := folder(map[string]object.Object{"back": h.old})
		h.wantReport(t, h.push(t, tree.Hash(), tree), wholly)
	})
	t.Run("the same tree", func(t *testing.T) {
		h := newHouse(t)
		h.wantReport(t, h.push(t, h.root.Hash()), wholly)
	})
	t.Run("back to a commit that is there", func(t *testing.T) {
		h := newHouse(t)
		h.wantReport(t, rawPush(t, h.v, "", packOf(t),
			Command{Name: "refs/heads/main", Old: h.second.Hash(), New: h.first.Hash()}), wholly)
	})
	t.Run("bob's blob, sent along", func(t *testing.T) {
		h := newHouse(t)
		tree := folder(map[string]object.Object{"x": h.secret})
		h.wantReport(t, h.push(t, tree.Hash(), tree, h.secret), wholly)
	})
}

// A delta on an object that alice does not see is refused as one on an object
// that is not there at all.
func TestThinBases(t *testing.T) {
	h := newHouse(t)
	text := append(slices.Clone(h.text.Data), "one line more\n"...)
	target := blob(string(text))
	tree := folder(map[string]object.Object{"x": target})
	c := commitOf(300, tree.Hash(), h.second.Hash())
	command := Command{Name: "refs/heads/main", Old: h.second.Hash(), New: c.Hash()}

	const lacking = "unpack unresolved deltas: missing necessary objects; ng refs/heads/main unpacker error"
	secret := append(slices.Clone(h.secret.Data), "one line more\n"...)
	h.wantReport(t, rawPush(t, h.v, "", thinPackOf(t, h.secret.Hash(), h.secret.Data, secret, tree, c), command), lacking)
	nobodys := blob(longText(3, 50))
	h.wantReport(t, rawPush(t, h.v, "", thinPackOf(t, nobodys.Hash(), nobodys.Data, secret, tree, c), command), lacking)
	h.wantReport(t, rawPush(t, h.v, "", thinPackOf(t, h.text.Hash(), h.text.Data, text, tree, c), command), wholly)
}

func TestPushRefusals(t *testing.T) {
	h := newHouse(t)
	zero, first, second := store.Hash{}, h.first.Hash(), h.second.Hash()
	empty := packOf(t)
	for _, test := range []struct {
		name     string
		commands []Command
		want     string
	}{
		{"wrong old value", []Command{{Name: "refs/heads/main", Old: first, New: first}},
			"ng refs/heads/main stale info: main has moved, fetch first"},
		{"exists already", []Command{{Name: "refs/heads/main", New: first}},
			"ng refs/heads/main stale info: main exists already, fetch first"},
		{"is gone", []Command{{Name: "refs/heads/x", Old: first, New: second}},
			"ng refs/heads/x stale info: x does not exist any more, fetch first"},
		{"nothing", []Command{{Name: "refs/heads/x"}}, "ng refs/heads/x there is nothing to delete"},
		{"outside refs", []Command{{Name: "HEAD", New: first}}, "ng HEAD invalid ref name"},
		{"bad name", []Command{{Name: "refs/heads/a..b", New: first}}, "ng refs/heads/a..b invalid ref name"},
		{"no such kind", []Command{{Name: "refs/notes/x", New: first}},
			"ng refs/notes/x only branches and tags can be pushed"},
		{"a blob as a branch", []Command{{Name: "refs/heads/x", New: h.text.Hash()}},
			"ng refs/heads/x a branch cannot be a blob"},
		{"in a branch's way", []Command{{Name: "refs/heads/main/x", New: first}},
			"ng refs/heads/main/x cannot create main/x: another ref stands in the way, its name being a folder of the other's"},
		{"twice", []Command{{Name: "refs/heads/x", New: first}, {Name: "refs/heads/x", New: second}},
			"ng refs/heads/x multiple updates for ref 'refs/heads/x' not allowed; ng refs/heads/x multiple updates for ref 'refs/heads/x' not allowed"},
	} {
		t.Run(test.name, func(t *testing.T) {
			h.wantReport(t, rawPush(t, h.v, "", empty, test.commands...), "unpack ok; "+test.want)
			h.wantReport(t, rawPush(t, h.v, "atomic", empty, append(slices.Clone(test.commands), Command{Name: "refs/heads/good", New: first})...),
				"unpack ok; "+test.want+"; ng refs/heads/good atomic push failure")
			if _, err := h.b.Ref(t.Context(), "refs/heads/site/www/good"); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("the other ref of an atomic push: got %v, want it not to exist", err)
			}
		})
	}
	got := rawPush(t, h.v, "", empty, Command{Name: "refs/heads/x", New: zero, Old: zero}, Command{Name: "refs/heads/y", New: second})
	if want := "unpack ok; ng refs/heads/x there is nothing to delete; ok refs/heads/y"; got != want {
		t.Errorf("report: got %q, want %q", got, want)
	}
}

func TestMalformedPushes(t *testing.T) {
	h := newHouse(t)
	hash := h.second.Hash().String()
	many := slices.Repeat([]string{hash + " " + hash + " refs/heads/x"}, maxCommands+1)
	for _, test := range []struct{ name, caps, want string }{
		{"short", "", "ERR a command that is not two hashes and a ref"},
		{"object format", "object-format=sha256", `ERR unsupported object format "sha256": this repository is sha1`},
	} {
		line := "short"
		if test.caps != "" {
			line = many[0]
		}
		if got := rawLines(t, h.v, test.caps, nil, line); got != test.want {
			t.Errorf("%s: got %q, want %q", test.name, got, test.want)
		}
	}
	if got, want := rawLines(t, h.v, "", nil, many...), "ERR more than 10000 refs in one push: push them in several goes"; got != want {
		t.Errorf("many: got %q, want %q", got, want)
	}
	if got, want := rawLines(t, h.v, "", nil), ""; got != want {
		t.Errorf("nothing: got %q, want %q", got, want)
	}
	got := rawPush(t, h.v, "", []byte("PACK but no pack"), Command{Name: "refs/heads/x", New: h.first.Hash()})
	if !strings.HasPrefix(got, "unpack ") || !strings.HasSuffix(got, "; ng refs/heads/x unpacker error") {
		t.Errorf("no pack: got %q, want an unpacker error", got)
	}
}
