package mailbox

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"cairn/store"
	"cairn/store/mem"
	"cairn/store/object"
)

// FuzzState reads files that people edit: what can be read is written as something that reads the same.
func FuzzState(f *testing.F) {
	f.Add([]byte(stateHead+"1 2 2026-11-21T12:00:00Z 4567 \\Seen $Forwarded\n2 ? 2026-11-21T12:00:00Z 0 (0+1,5+7) \\Flagged\n"), uint32(0))
	f.Add([]byte("12345 678 2026-11-21T12:00:00+01:00 4567  $a  $b\r\n\n# note\n12346 1 0001-01-01T00:00:00Z 1"), uint32(123))
	f.Add([]byte("1 1 2026-11-21T12:00:00Z 1\n1 1 2026-11-21T12:00:00Z 1\n101 1 2026-11-21T12:00:00Z 1\n"), uint32(0))
	f.Add([]byte("1 1 0000-01-01T00:00:00+01:00 1\n"), uint32(0))
	f.Fuzz(func(t *testing.T, data []byte, n uint32) {
		msgs, err := parseState(data, n)
		if len(msgs) > perGroup {
			t.Fatalf("%d messages in a group", len(msgs))
		}
		again, err2 := parseState(appendState(nil, msgs), n)
		if err2 != nil || !slices.Equal(again, msgs) {
			t.Fatalf("%+v is read as %+v, %v (before: %v)", msgs, again, err2, err)
		}
		for _, m := range msgs {
			if m.UID == 0 || groupOf(m.UID) != n || len(m.Flags.String()) > maxFlags {
				t.Fatalf("message %+v", m)
			}
		}
	})
}

// TestLongest makes sure that the file of a group can be read whatever its messages are.
func TestLongest(t *testing.T) {
	var spans []Span
	for i := range 10_000 {
		spans = append(spans, Span{store.MaxObject - 1_000_000 + 100*i, 50})
	}
	hide, err := formatSpans(spans)
	if err != nil {
		t.Fatal(err)
	}
	list, err := parseSpans(hide)
	last := list[len(list)-1]
	if err != nil || len(list) != maxHidden || list[0] != spans[0] || last.Offset+last.Length != spans[9999].Offset+50 {
		t.Errorf("%d spans, the last one %+v, %v", len(list), last, err)
	}
	var flags []Flag
	for i := range 1000 {
		flags = append(flags, Flag(fmt.Sprint("keyword", i)))
	}
	var msgs []Message
	for i := range perGroup {
		msgs = append(msgs, Message{UID: UID(4_294_967_100 + i), ModSeq: 1<<63 - 1, Size: 1<<32 - 1, Flags: NewFlags(flags...), hide: hide})
	}
	data := appendState(nil, msgs)
	if again, err := parseState(data, groupOf(msgs[0].UID)); err != nil || !slices.Equal(again, msgs) || len(data) > maxState*3/4 {
		t.Errorf("%d messages in %d bytes are read as %d, %v", len(msgs), len(data), len(again), err)
	}
	if hide, err := formatSpans([]Span{{5, 5}, {10, 2}, {20, 1}}); err != nil || hide != "5+7,20+1" {
		t.Errorf("got %q, %v", hide, err)
	}
	if _, err := formatSpans([]Span{{5, 5}, {9, 2}}); err == nil {
		t.Error("spans overlap")
	}
}

func FuzzFlags(f *testing.F) {
	f.Add(`\Seen \SEEN $Forwarded $forwarded \Recent`, `\Deleted $FORWARDED NonJunk`)
	f.Fuzz(func(t *testing.T, a, b string) {
		var x, y Flags
		for text := range strings.FieldsSeq(a) {
			x = x.With(NewFlags(Flag(text)))
		}
		y, ok := parseFlags(b)
		if !ok {
			return
		}
		both := x.With(y)
		for g := range y.All() {
			if len(both.String()) < maxFlags/2 && !both.Has(g) || both.Without(y).Has(g) {
				t.Fatalf("%q with %q is %q, and without it %q", x, y, both, both.Without(y))
			}
		}
		if again, ok := parseFlags(both.String()); !ok || again != both {
			t.Fatalf("%q is read as %q", both, again)
		}
	})
}

// FuzzName takes names as clients say them: each that is accepted is found again under the folder's name, which git takes.
func FuzzName(f *testing.F) {
	for _, name := range []string{"inbox/x", "Work/2026", "12xxxx", "CON", "a:b/..", ".git", "mailbox.toml", "x/", "git~1", "e\u0301", "%41", "A ", "\u200c.git"} {
		f.Add(name)
	}
	f.Fuzz(func(t *testing.T, name string) {
		canonical, err := Canonical(name)
		if err != nil {
			return
		}
		if again, err := Canonical(canonical); err != nil || again != canonical {
			t.Fatalf("%q becomes %q, and that %q, %v", name, canonical, again, err)
		}
		for level := range strings.SplitSeq(canonical, "/") {
			folder := folderName(level)
			if back, ok := levelName(folder); !ok || back != level {
				t.Fatalf("level %q lies in %q, which is %q, %v", level, folder, back, ok)
			}
			if err := object.CheckName(folder); err != nil {
				t.Fatalf("level %q: %v", level, err)
			}
		}
	})
}

func FuzzFolderName(f *testing.F) {
	for _, name := range []string{"INBOX", "Inbox", "%2E", "%2F", "a%", "12xxxx", "%31%32xxxx", ".x", "e\u0301"} {
		f.Add(name)
	}
	f.Fuzz(func(t *testing.T, folder string) {
		if level, ok := levelName(folder); ok && folderName(level) != folder {
			t.Fatalf("%q is %q, which lies in %q", folder, level, folderName(level))
		}
	})
}

func FuzzRecord(f *testing.F) {
	f.Add([]byte("uid_validity = 1\nuid_next = 1\nmodseq = 1\n"))
	f.Add([]byte("uid_validity = 1\nuid_next = 5\nmodseq = 9\nmessages = 1\nspecial_use = '\\Junk'\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		if r, err := parseRecord(data, true); err == nil && (r.UIDValidity == 0 || r.UIDNext == 0 || r.ModSeq == 0 || r.Bytes < 0) {
			t.Fatalf("%+v", r)
		}
		for _, name := range parseSubs(data) {
			if again, err := Canonical(name); err != nil || again != name {
				t.Fatalf("subscription %q", name)
			}
		}
	})
}

// FuzzBranch has somebody put anything anywhere with stock git, past Check: it is shown as well as it can be, nothing that
// can be read is lost by the next delivery, and Settle ends.
func FuzzBranch(f *testing.F) {
	f.Add("mailboxes/INBOX/0xxxx/0xx/flags.txt", []byte("1 2 2026-11-21T12:00:00Z 5 (0+9)\n"))
	f.Add("mailboxes/INBOX/0xxxx/0xx/2.eml", []byte("Subject: x\n\n"))
	f.Add("mailboxes/INBOX/0xxxx/0xx/3.trace", []byte("X: y\r\n"))
	f.Add("mailboxes/INBOX/0xxxx", []byte("not a folder"))
	f.Add("mailboxes/INBOX/mailbox.toml", []byte("uid_validity = 4\nuid_next = 1\nmodseq = 1\nmessages = 77"))
	f.Add("mailboxes/INBOX/0xxxx/0xx/4294967294.eml", []byte("x"))
	f.Add("mailboxes/INBOX/429496xxxx/42949672xx/4294967295.eml", []byte("x"))
	f.Add("mailboxes/inbox/mailbox.toml", []byte("uid_validity = 4\nuid_next = 1\nmodseq = 1"))
	f.Add("mail.toml", []byte("format = 1\nuid_validity = 4294967295"))
	f.Add("mailboxes", []byte("x"))
	f.Fuzz(func(t *testing.T, path string, data []byte) {
		k := newKit(t, mem.New(), Options{})
		k.deliver(Inbox, 1)
		blob := k.open(Inbox).At(0).Blob
		old := k.snap().Tree()
		put := func(tx *store.Tx) error {
			if e, err := tx.Lookup(path); err == nil && e.Mode == object.ModeDir {
				if err := tx.Remove(path); err != nil {
					return err
				}
			}
			return tx.Put(path, data)
		}
		branch := k.Box("alice").Branch()
		if branch.Update(t.Context(), change, put) != nil {
			return
		}
		tree, err := branch.Tree(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		wrong := Check(t.Context(), old, tree)
		s, err := k.Box("alice").Snapshot(t.Context())
		if err != nil {
			if wrong == nil {
				t.Fatalf("this was let pass: %v", err)
			}
			return
		}
		for _, info := range s.Mailboxes() {
			if m, err := s.Mailbox(info.Name); err == nil {
				for _, msg := range m.All() {
					_, _ = m.Content(t.Context(), msg)
				}
			}
		}
		there := false
		if _, err := s.Tree().Lookup(group0 + "/1.eml"); err == nil {
			_, h, _ := s.Tree().Blob(group0 + "/1.eml")
			there = h == blob
		}
		if err := k.edit(func(e *Edit) error { _, err := e.Append(Inbox, note(5)); return err }); err != nil {
			return
		}
		if err := k.Settle(t.Context(), "alice"); err != nil {
			return
		}
		if there && !holds(k.open(Inbox), blob) {
			t.Fatal("a message is not shown any more")
		}
		tidy := k.snap().Tree().Hash()
		if err := k.Settle(t.Context(), "alice"); err != nil || k.snap().Tree().Hash() != tidy {
			t.Fatalf("it is never in order: %v", err)
		}
	})
}

func holds(m *Mailbox, blob store.Hash) bool {
	for _, msg := range m.All() {
		if msg.Blob == blob {
			return true
		}
	}
	return false
}
