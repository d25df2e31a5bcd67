package mailbox

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"cairn/store"
	"cairn/store/mem"
	"cairn/store/object"
)

// push has somebody change files by hand and push them: what Check lets pass is there afterwards, and settled.
func (k *kit) push(f func(tx *store.Tx) error) error {
	k.Helper()
	ctx := k.Context()
	branch := k.Box("alice").Branch()
	old := k.snap().Tree()
	draft := k.repo.Branch("draft")
	if _, ok := old.Commit(); ok {
		if _, err := branch.Fork(ctx, "draft"); err != nil {
			k.Fatal(err)
		}
	}
	defer func() {
		if err := draft.Delete(ctx); err != nil {
			k.Fatal(err)
		}
	}()
	if err := draft.Update(ctx, change, f); err != nil {
		k.Fatal(err)
	}
	new, err := draft.Tree(ctx)
	if err != nil {
		k.Fatal(err)
	}
	if err := Check(ctx, old, new); err != nil {
		return err
	}
	if err := branch.Reset(ctx, change, new); err != nil {
		k.Fatal(err)
	}
	if err := k.Settle(ctx, "alice"); err != nil {
		k.Fatal(err)
	}
	tidy := k.snap().Tree()
	if err := k.Settle(ctx, "alice"); err != nil || k.snap().Tree().Hash() != tidy.Hash() {
		k.Errorf("once in order, there was more to do: %v", err)
	}
	if err := Check(ctx, new, tidy); err != nil {
		k.Errorf("what was brought in order could not be pushed: %v", err)
	}
	return nil
}

// replace is what an editor does to a file.
func replace(tx *store.Tx, path, old, new string) error {
	data, _, err := tx.Blob(path)
	if err != nil {
		return err
	}
	if !bytes.Contains(data, []byte(old)) {
		return fmt.Errorf("%s has no %q", path, old)
	}
	return tx.Put(path, bytes.Replace(data, []byte(old), []byte(new), 1))
}

const (
	inbox  = "mailboxes/INBOX"
	group0 = inbox + "/0xxxx/0xx"
)

// byHand are changes by hand, with what is said of them, or what is there afterwards. Before there are the messages
// 1 to 4 in INBOX, of which 3 is removed, and one in Archive.
var byHand = []struct {
	name  string
	f     func(tx *store.Tx) error
	wrong string
	inbox string // afterwards
}{
	{name: "nothing", f: func(tx *store.Tx) error { return nil }, inbox: `1 2(\Seen) 4`},
	{name: "a message is removed", f: func(tx *store.Tx) error { return tx.Remove(group0 + "/2.eml") }, inbox: "1 4"},
	{name: "a message and its line are removed", f: func(tx *store.Tx) error {
		if err := replace(tx, group0+"/flags.txt", "2 6 2027-01-15T08:00:00Z 83 \\Seen\n", ""); err != nil {
			return err
		}
		return tx.Remove(group0 + "/2.eml")
	}, inbox: "1 4"},
	{name: "a folder of messages is removed", f: func(tx *store.Tx) error { return tx.Remove(inbox + "/0xxxx") }, inbox: ""},
	{name: "a mailbox is removed", f: func(tx *store.Tx) error { return tx.Remove("mailboxes/Drafts") }, inbox: `1 2(\Seen) 4`},
	{name: "a mailbox is renamed", f: func(tx *store.Tx) error {
		e, err := tx.Lookup("mailboxes/Archive")
		if err != nil {
			return err
		}
		if err := tx.Link("mailboxes/Old", e); err != nil {
			return err
		}
		return tx.Remove("mailboxes/Archive")
	}, inbox: `1 2(\Seen) 4`},
	{name: "a message is put in", f: func(tx *store.Tx) error {
		return tx.Put(inbox+"/note.eml", []byte("Subject: note\nDate: Sat, 02 Jan 2021 03:04:05 +0000\n\nHello\n"))
	}, inbox: `1 2(\Seen) 4 5`},
	{name: "a message is moved", f: func(tx *store.Tx) error {
		e, err := tx.Lookup(group0 + "/2.eml")
		if err != nil {
			return err
		}
		if err := tx.Link("mailboxes/Archive/2.eml", e); err != nil {
			return err
		}
		return tx.Remove(group0 + "/2.eml")
	}, inbox: "1 4"},
	{name: "a mailbox is made", f: func(tx *store.Tx) error { return tx.Put("mailboxes/Recipes/Cake/x.eml", []byte("Subject: cake\n\n")) }, inbox: `1 2(\Seen) 4`},
	{name: "flags are changed", f: func(tx *store.Tx) error {
		return replace(tx, group0+"/flags.txt", `2 6 2027-01-15T08:00:00Z 83 \Seen`, `2 ? 2027-01-15T08:00:00Z 83 \Flagged $Work`)
	}, inbox: `1 2(\Flagged $Work) 4`},
	{name: "a file of others", f: func(tx *store.Tx) error { return tx.Put("sieve/active.sieve", []byte("keep;")) }, inbox: `1 2(\Seen) 4`},

	{name: "a message is changed", f: func(tx *store.Tx) error { return replace(tx, group0+"/2.eml", "Hello", "Howdy") },
		wrong: group0 + "/2.eml: a message cannot be changed: put it back, or remove it and put the new one into " + inbox + " itself"},
	{name: "a trace is removed", f: func(tx *store.Tx) error { return tx.Remove(group0 + "/2.trace") },
		wrong: group0 + "/2.eml: a message cannot be changed: put it back, or remove it and put the new one into " + inbox + " itself"},
	{name: "flags without a modseq", f: func(tx *store.Tx) error { return replace(tx, group0+"/flags.txt", `\Seen`, `\Flagged`) },
		wrong: group0 + "/flags.txt, UID 2: other flags need a new modseq: write ? for it"},
	{name: "modseq goes back", f: func(tx *store.Tx) error { return replace(tx, group0+"/flags.txt", "\n2 6 ", "\n2 3 ") },
		wrong: group0 + "/flags.txt, UID 2: modseq goes back from 6 to 3: write ? for it"},
	{name: "modseq of the future", f: func(tx *store.Tx) error { return replace(tx, group0+"/flags.txt", "\n2 6 ", "\n2 99 ") },
		wrong: group0 + "/flags.txt, UID 2: modseq 99 is higher than that of mailbox.toml: write ? for it"},
	{name: "another date", f: func(tx *store.Tx) error {
		return replace(tx, group0+"/flags.txt", "2 6 2027-01-15T08:00:00Z 83", "2 6 2027-01-15T08:00:01Z 83")
	}, wrong: group0 + "/flags.txt, UID 2: of a line only modseq and flags can be changed: put back the others"},
	{name: "a line is removed", f: func(tx *store.Tx) error {
		return replace(tx, group0+"/flags.txt", "2 6 2027-01-15T08:00:00Z 83 \\Seen\n", "")
	}, wrong: group0 + "/2.eml has no line in flags.txt: remove both or neither, and put a new message into " + inbox + " itself"},
	{name: "the lines are removed", f: func(tx *store.Tx) error { return tx.Remove(group0 + "/flags.txt") },
		wrong: group0 + "/1.eml has no line in flags.txt: remove both or neither, and put a new message into " + inbox + " itself"},
	{name: "a line that is none", f: func(tx *store.Tx) error { return replace(tx, group0+"/flags.txt", "\n2 6 ", "\n2 x ") },
		wrong: group0 + "/flags.txt: line 3: a line is: uid modseq received size flags, with a space between them"},
	{name: "a UID comes back", f: func(tx *store.Tx) error {
		if err := tx.Put(group0+"/3.eml", []byte("Subject: x\r\n\r\n")); err != nil {
			return err
		}
		return replace(tx, group0+"/flags.txt", "\n4 ", "\n3 7 2027-01-15T08:00:00Z 14\n4 ")
	}, wrong: group0 + "/flags.txt, UID 3 was given out before: put the message into " + inbox + " itself"},
	{name: "a UID of the future", f: func(tx *store.Tx) error {
		if err := tx.Put(group0+"/50.eml", []byte("Subject: x\r\n\r\n")); err != nil {
			return err
		}
		return replace(tx, group0+"/flags.txt", "\n4 ", "\n4 9 2027-01-15T08:00:00Z 83\n50 ")
	}, wrong: group0 + "/flags.txt, UID 50 is not below uid_next of mailbox.toml: put the message into " + inbox + " itself"},
	{name: "a mailbox made elsewhere", f: func(tx *store.Tx) error {
		if err := replace(tx, "mail.toml", "uid_validity = 6", "uid_validity = 9"); err != nil {
			return err
		}
		return tx.Put("mailboxes/Back/mailbox.toml", []byte("uid_validity = 7\nuid_next = 1\nmodseq = 1\nmessages = 0\nunseen = 0\ndeleted = 0\nbytes = 0\n"))
	}, inbox: `1 2(\Seen) 4`},
	{name: "uid_next goes back", f: func(tx *store.Tx) error { return replace(tx, inbox+"/mailbox.toml", "uid_next = 5", "uid_next = 4") },
		wrong: inbox + "/mailbox.toml: uid_next goes back from 5 to 4: it may only grow"},
	{name: "uid_next that leaves none", f: func(tx *store.Tx) error {
		return replace(tx, inbox+"/mailbox.toml", "uid_next = 5", "uid_next = 4294967295")
	}, wrong: inbox + "/mailbox.toml: uid_next 4294967295 is too high: 2147483648 at most"},
	{name: "uid_validity that leaves none", f: func(tx *store.Tx) error {
		return replace(tx, "mail.toml", "uid_validity = 6", "uid_validity = 4294967295")
	}, wrong: "mail.toml: uid_validity 4294967295 is too high: 4293918720 at most"},
	{name: "the highest modseq goes back", f: func(tx *store.Tx) error { return replace(tx, inbox+"/mailbox.toml", "modseq = 9", "modseq = 8") },
		wrong: inbox + "/mailbox.toml: modseq goes back from 9 to 8: it may only grow"},
	{name: "another uid_validity, used before", f: func(tx *store.Tx) error {
		return replace(tx, "mailboxes/Archive/mailbox.toml", "uid_validity = 4", "uid_validity = 3")
	}, wrong: "mailboxes/Sent/mailbox.toml: mailboxes/Archive has the same uid_validity: leave the file out of a copied mailbox, and it is made anew"},
	{name: "a mailbox of an old uid_validity", f: func(tx *store.Tx) error {
		if err := tx.Remove("mailboxes/Sent"); err != nil {
			return err
		}
		return replace(tx, "mailboxes/Archive/mailbox.toml", "uid_validity = 4", "uid_validity = 2026")
	}, wrong: "mail.toml: uid_validity is 6, less than the 2026 of mailboxes/Archive/mailbox.toml"},
	{name: "uid_validity goes back", f: func(tx *store.Tx) error { return replace(tx, "mail.toml", "uid_validity = 6", "uid_validity = 5") },
		wrong: "mail.toml: uid_validity goes back from 6 to 5: it may only grow"},
	{name: "no mail.toml", f: func(tx *store.Tx) error { return tx.Remove("mail.toml") }, wrong: "mail.toml is missing: put it back"},
	{name: "a newer format", f: func(tx *store.Tx) error { return replace(tx, "mail.toml", "format = 1", "format = 2") },
		wrong: "mail.toml: this mail is in a format of a newer version: update the program"},
	{name: "no INBOX", f: func(tx *store.Tx) error { return tx.Remove(inbox) },
		wrong: inbox + " is missing: INBOX cannot be removed, only the messages in it"},
	{name: "no mailboxes", f: func(tx *store.Tx) error { return tx.Remove("mailboxes") },
		wrong: inbox + " is missing: INBOX cannot be removed, only the messages in it"},
	{name: "a mailbox is copied", f: func(tx *store.Tx) error {
		e, err := tx.Lookup("mailboxes/Archive")
		if err != nil {
			return err
		}
		return tx.Link("mailboxes/Copy", e)
	}, wrong: "mailboxes/Copy/mailbox.toml: mailboxes/Archive has the same uid_validity: leave the file out of a copied mailbox, and it is made anew"},
	{name: "a record with unknown keys", f: func(tx *store.Tx) error { return replace(tx, inbox+"/mailbox.toml", "modseq", "moodseq") },
		wrong: inbox + "/mailbox.toml cannot be read: put it back, or leave it out: unknown key \"moodseq\""},
	{name: "a file in a group", f: func(tx *store.Tx) error { return tx.Put(group0+"/x.eml", []byte("Subject: x\n\n")) },
		wrong: group0 + "/x.eml does not belong here: put a message into " + inbox + " itself"},
	{name: "a file among groups", f: func(tx *store.Tx) error { return tx.Put(inbox+"/0xxxx/x.eml", []byte("Subject: x\n\n")) },
		wrong: inbox + "/0xxxx/x.eml does not belong here: put a message into " + inbox + " itself"},
	{name: "a message that is a symlink", f: func(tx *store.Tx) error {
		return tx.PutMode(inbox+"/x.eml", object.ModeSymlink, []byte("/etc/passwd"))
	}, wrong: inbox + "/x.eml has to be a file"},
	{name: "a mailbox that cannot be called that", f: func(tx *store.Tx) error { return tx.Put("mailboxes/a:b/x.eml", []byte("Subject: x\n\n")) },
		wrong: `mailboxes/a:b: a mailbox's folder cannot be called that: rename it to "a%3Ab"`},
	{name: "INBOX twice", f: func(tx *store.Tx) error { return tx.Put("mailboxes/Inbox/x.eml", []byte("Subject: x\n\n")) },
		wrong: "mailboxes/Inbox: a mailbox's folder cannot be called that: rename it"},
	{name: "a mailbox too deep", f: func(tx *store.Tx) error {
		return tx.Put("mailboxes"+strings.Repeat("/a", 21)+"/x.eml", []byte("Subject: x\n\n"))
	}, wrong: "mailboxes" + strings.Repeat("/a", 21) + " lies too deep: there are 20 levels at most"},
	{name: "mailboxes is a file", f: func(tx *store.Tx) error {
		if err := tx.Remove("mailboxes"); err != nil {
			return err
		}
		return tx.Put("mailboxes", nil)
	}, wrong: "mailboxes has to be a folder"},
}

func TestPush(t *testing.T) {
	for _, c := range byHand {
		t.Run(c.name, func(t *testing.T) {
			k := newKit(t, mem.New(), Options{})
			k.deliver(Inbox, 4)
			k.deliver("Archive", 1)
			k.must(func(e *Edit) error {
				_, err := e.SetFlags(Inbox, []UID{2}, func(m Message) Flags { return NewFlags(Seen) })
				return err
			})
			k.must(func(e *Edit) error { _, err := e.Expunge(Inbox, []UID{3}, nil); return err })
			k.must(func(e *Edit) error {
				_, err := e.SetFlags(Inbox, []UID{4}, func(m Message) Flags { return NewFlags(Seen) })
				return err
			})
			k.must(func(e *Edit) error {
				_, err := e.SetFlags(Inbox, []UID{4}, func(m Message) Flags { return Flags{} })
				return err
			})
			before := k.open(Inbox)
			got := ""
			if err := k.push(c.f); err != nil {
				got = err.Error()
			}
			if got != c.wrong {
				t.Fatalf("got  %s\nwant %s", got, c.wrong)
			}
			if c.wrong != "" {
				return
			}
			after := k.open(Inbox)
			if got := show(after); got != c.inbox {
				t.Errorf("INBOX has %s, want %s", got, c.inbox)
			}
			if info, err := k.snap().Info(Inbox); err != nil || info != after.Info {
				t.Errorf("counted %+v, stored %+v", after.Info, info)
			}
			if changes := Between(before, after); changes.Empty() != (before.HighestModSeq == after.HighestModSeq) {
				t.Errorf("changes %+v, but modseq goes from %d to %d", changes, before.HighestModSeq, after.HighestModSeq)
			}
		})
	}
}

// TestDropped looks at what became of files that were put in by hand.
func TestDropped(t *testing.T) {
	hide := func(raw []byte) []Span {
		if i := bytes.Index(raw, []byte("Forged:")); i >= 0 {
			return []Span{{i, len("Forged: x\r\n")}}
		}
		return nil
	}
	k := newKit(t, mem.New(), Options{Hide: hide})
	err := k.push(func(tx *store.Tx) error {
		if err := tx.Put("mailboxes/Recipes/Cake/x.eml", []byte("Subject: cake\nForged: x\nDate: Sat, 02 Jan 2021 03:04:05 +0000\n\nFlour.\n")); err != nil {
			return err
		}
		return tx.Put("mailboxes/INBOX/y.EML", []byte("Subject: y\r\n\r\nbare\n"))
	})
	if err != nil {
		t.Fatal(err)
	}
	m := k.open("Recipes/Cake")
	c, err := m.Content(t.Context(), m.At(0))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := string(c.Bytes()), "Subject: cake\r\nDate: Sat, 02 Jan 2021 03:04:05 +0000\r\n\r\nFlour.\r\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := m.At(0).Internal().Unix(); got != 1609556645 {
		t.Errorf("got the date %d, want that of the message", got)
	}
	if m.UIDValidity <= 6 || k.open(Inbox).UIDValidity != 1 {
		t.Errorf("UIDVALIDITY: got %d and %d", m.UIDValidity, k.open(Inbox).UIDValidity)
	}
	m = k.open(Inbox)
	if c, err = m.Content(t.Context(), m.At(0)); err != nil || string(c.Bytes()) != "Subject: y\r\n\r\nbare\n" {
		t.Errorf("got %q, %v", c.Bytes(), err)
	}
	if got := paths(t, k.snap().Tree()); strings.Contains(got, "x.eml") || strings.Contains(got, "y.EML") {
		t.Errorf("the files are still there:\n%s", got)
	}
	if got := k.open("Trash").Len(); got != 0 || len(k.snap().Mailboxes()) != 8 {
		t.Errorf("got %v", k.snap().Mailboxes())
	}
}

// TestDroppedMany takes in more than one Update may have in memory.
func TestDroppedMany(t *testing.T) {
	k := newKit(t, mem.New(), Options{})
	k.takeAtOnce = 100
	if err := k.push(func(tx *store.Tx) error {
		for i := range 10 {
			for _, end := range []string{"\n", "\r\n"} {
				text := fmt.Sprintf("Subject: %d%s%s%s%s", i, end, end, strings.Repeat("x", 40), end)
				if err := tx.Put(fmt.Sprintf("mailboxes/Archive/%d%d.eml", i, len(end)), []byte(text)); err != nil {
					return err
				}
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	blobs := map[store.Hash]int{}
	for _, m := range k.open("Archive").All() {
		blobs[m.Blob]++
	}
	if got := k.open("Archive").Len(); got != 20 || len(blobs) != 10 {
		t.Errorf("%d messages were taken in, of %d contents", got, len(blobs))
	}
}

// TestCheckCost makes sure that a push costs what has changed.
func TestCheckCost(t *testing.T) {
	b := &counted{Backend: mem.New()}
	k := newKit(t, b, Options{})
	k.fill(5000)
	old := k.snap().Tree()
	k.deliver(Inbox, 1)
	k.repo = store.New(b, store.Options{})
	k.Boxes = Open(k.repo, k.o)
	b.reads.Store(0)
	if err := Check(t.Context(), old, k.snap().Tree()); err != nil {
		t.Fatal(err)
	}
	if got := b.reads.Load(); got > 60 {
		t.Errorf("a push of one message had %d objects read", got)
	}
}
