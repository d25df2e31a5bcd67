package transfer

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"cairn/services/mail/mailbox"
	"cairn/store"
	"cairn/store/mem"
)

func newBoxes() *mailbox.Boxes {
	return mailbox.Open(store.New(mem.New(), store.Options{}), mailbox.Options{Now: time.Now})
}

var change = store.Change{Message: "Import mail\n"}

func mail(n int) string {
	return fmt.Sprintf("From: alice@example.org\r\nSubject: number %d\r\nStatus: RO\r\nX-Status: F\r\n\r\nFrom here on\r\n>From there\r\n\r\nthe end\r\n", n)
}

// contents are the messages of a mailbox, by UID.
func contents(t *testing.T, b *mailbox.Boxes, box string) (list []string) {
	t.Helper()
	for m, err := range Export(t.Context(), b, "alice", box) {
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, string(m.Raw))
	}
	return list
}

func mboxOf(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "From alice@example.org Sat Nov 21 12:00:%02d 2026\n", i%60)
		for line := range strings.SplitAfterSeq(strings.ReplaceAll(mail(i), "\r\n", "\n"), "\n") {
			if strings.HasPrefix(strings.TrimLeft(line, ">"), "From ") {
				line = ">" + line
			}
			b.WriteString(line)
		}
		b.WriteString("\n")
	}
	return b.String()
}

func TestMbox(t *testing.T) {
	b := newBoxes()
	text := mboxOf(3)
	r, err := Import(t.Context(), b, change, "alice", Mbox(strings.NewReader(text), "Work/Old"), nil)
	if err != nil || r.New != 3 || len(r.Bad) > 0 {
		t.Fatalf("got %+v, %v", r, err)
	}
	got := contents(t, b, "Work/Old")
	for i := range 3 {
		if got[i] != mail(i) {
			t.Errorf("message %d: got %q, want %q", i, got[i], mail(i))
		}
	}
	for m := range Export(t.Context(), b, "alice", "Work/Old") {
		if !m.Flags.Has(mailbox.Seen) || !m.Flags.Has(mailbox.Flagged) || m.Date.Year() != 2026 {
			t.Errorf("flags %v, date %v", m.Flags, m.Date)
		}
	}
	var out bytes.Buffer
	if n, err := WriteMbox(&out, Export(t.Context(), b, "alice", "Work/Old")); n != 3 || err != nil || out.String() != text {
		t.Errorf("%d, %v: wrote\n%s\nwant\n%s", n, err, out.String(), text)
	}
}

// TestAgain: what was brought in is not brought in again, however often it is in the source.
func TestAgain(t *testing.T) {
	b := newBoxes()
	text := mboxOf(2) + mboxOf(1) // number 0 is there twice
	for _, want := range []Result{{New: 3}, {Known: 3}} {
		r, err := Import(t.Context(), b, change, "alice", Mbox(strings.NewReader(text), "INBOX"), nil)
		if err != nil || r.New != want.New || r.Known != want.Known {
			t.Errorf("got %+v, %v, want %+v", r, err, want)
		}
	}
	if n := len(contents(t, b, "INBOX")); n != 3 {
		t.Errorf("%d messages", n)
	}
}

// TestBrokenOff: an import that ends in the middle, wherever, is completed by the next.
func TestBrokenOff(t *testing.T) {
	const all = 1300
	text := mboxOf(all)
	for _, after := range []int{1, batchMessages, batchMessages + 1, all} {
		b := newBoxes()
		ctx, cancel := context.WithCancel(t.Context())
		n := 0
		source := func(yield func(Message, error) bool) {
			for m, err := range Mbox(strings.NewReader(text), "INBOX") {
				if n++; n == after {
					cancel()
				}
				if !yield(m, err) {
					return
				}
			}
		}
		if _, err := Import(ctx, b, change, "alice", source, nil); !errors.Is(err, context.Canceled) {
			t.Fatalf("after %d: %v", after, err)
		}
		cancel()
		if _, err := Import(t.Context(), b, change, "alice", Mbox(strings.NewReader(text), "INBOX"), nil); err != nil {
			t.Fatal(err)
		}
		got := contents(t, b, "INBOX")
		if len(got) != all {
			t.Errorf("after %d: %d messages, want %d", after, len(got), all)
			continue
		}
		for i, raw := range got {
			if raw != mail(i) {
				t.Fatalf("after %d: message %d is %q", after, i, raw)
			}
		}
	}
}

func TestMboxOdd(t *testing.T) {
	for name, c := range map[string]struct {
		text string
		want []string
		bad  int
	}{
		"nothing":            {"", nil, 0},
		"not one":            {"Subject: x\n\nhello\n", nil, 1},
		"CRLF":               {"From a\r\nSubject: x\r\n\r\nhello\r\n\r\n", []string{"Subject: x\r\n\r\nhello\r\n"}, 0},
		"no end":             {"From a\nSubject: x\n\nhello", []string{"Subject: x\r\n\r\nhello\r\n"}, 0},
		"no body":            {"From a\nSubject: x\n\nFrom b\nSubject: y\n\n\n", []string{"Subject: x\r\n\r\n", "Subject: y\r\n\r\n"}, 0},
		"From in the middle": {"From a\nS: x\n\na\nFrom the text\nb\n\n", []string{"S: x\r\n\r\na\r\nFrom the text\r\nb\r\n"}, 0},
	} {
		var got []string
		bad := 0
		for m, err := range Mbox(strings.NewReader(c.text), "INBOX") {
			if err != nil {
				bad++
			} else {
				got = append(got, string(m.Raw))
			}
		}
		if fmt.Sprintf("%q", got) != fmt.Sprintf("%q", c.want) || bad != c.bad {
			t.Errorf("%s: got %q and %d bad", name, got, bad)
		}
	}
}

func TestMaildir(t *testing.T) {
	b := newBoxes()
	dir := t.TempDir()
	for name, raw := range map[string]string{
		"cur/1795262400.1.host:2,FS":           mail(1),
		"new/1795262401.2.host":                strings.ReplaceAll(mail(2), "\r\n", "\n"),
		".Work.2024/cur/1795262402.3.host:2,R": mail(3),
		".Work.2024/tmp/x":                     "unfinished",
	} {
		write(t, filepath.Join(dir, name), raw)
	}
	r, err := Import(t.Context(), b, change, "alice", Maildir(os.DirFS(dir), "INBOX"), nil)
	if err != nil || r.New != 3 || len(r.Bad) > 0 {
		t.Fatalf("got %+v, %v", r, err)
	}
	if got := contents(t, b, "INBOX"); len(got) != 2 || got[0] != mail(1) || got[1] != mail(2) {
		t.Errorf("inbox: %q", got)
	}
	if got := contents(t, b, "Work/2024"); len(got) != 1 || got[0] != mail(3) {
		t.Errorf("folder: %q", got)
	}
	out := t.TempDir()
	n, err := WriteMaildir(func(name string, data []byte, _ time.Time) error {
		write(t, filepath.Join(out, name), string(data))
		return nil
	}, "INBOX", Export(t.Context(), b, "alice"))
	if err != nil || n != 3 {
		t.Fatal(n, err)
	}
	again := newBoxes()
	if r, err := Import(t.Context(), again, change, "alice", Maildir(os.DirFS(out), "INBOX"), nil); err != nil || r.New != 3 {
		t.Fatalf("read again: %+v, %v", r, err)
	}
	for m := range Export(t.Context(), again, "alice", "INBOX") {
		if string(m.Raw) == mail(1) && !m.Flags.Has(mailbox.Flagged) {
			t.Error("the flag is gone")
		}
	}
}

// TestPython: the mailbox module of Python reads what is written.
func TestPython(t *testing.T) {
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Skip("python3 is not installed")
	}
	b := newBoxes()
	if _, err := Import(t.Context(), b, change, "alice", Mbox(strings.NewReader(mboxOf(20)), "INBOX"), nil); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	var out bytes.Buffer
	if _, err := WriteMbox(&out, Export(t.Context(), b, "alice", "INBOX")); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "box"), out.String())
	for _, sub := range []string{"cur", "new", "tmp"} {
		if err := os.MkdirAll(filepath.Join(dir, "dir", sub), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := WriteMaildir(func(name string, data []byte, _ time.Time) error {
		write(t, filepath.Join(dir, "dir", name), string(data))
		return nil
	}, "INBOX", Export(t.Context(), b, "alice", "INBOX")); err != nil {
		t.Fatal(err)
	}
	text, err := exec.CommandContext(t.Context(), python, "-c", `
import mailbox, sys
for m in (mailbox.mbox(sys.argv[1] + "/box"), mailbox.Maildir(sys.argv[1] + "/dir", create=False)):
    print(len(m), sorted(x["subject"] for x in m)[7], all("F" in x.get_flags() for x in m))
`, dir).CombinedOutput()
	if err != nil || string(text) != "20 number 15 True\n20 number 15 True\n" {
		t.Errorf("%v\n%s", err, text)
	}
}

// TestBad: what cannot be read is told, and the rest comes.
func TestBad(t *testing.T) {
	b := newBoxes()
	source := iter.Seq2[Message, error](func(yield func(Message, error) bool) {
		yield(Message{}, fs.ErrPermission)
		yield(Message{Mailbox: "a//b\x00", Raw: []byte(mail(1))}, nil)
		yield(Message{Mailbox: "inbox", Raw: []byte(mail(2))}, nil)
	})
	r, err := Import(t.Context(), b, change, "alice", source, nil)
	if err != nil || r.New != 1 || len(r.Bad) != 2 {
		t.Errorf("got %+v, %v", r, err)
	}
}

func write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func FuzzMbox(f *testing.F) {
	f.Add(mboxOf(2))
	f.Add("From \n\n\n\nFrom x\n>From \n")
	f.Fuzz(func(t *testing.T, text string) {
		total := 0
		for m, err := range Mbox(strings.NewReader(text), "INBOX") {
			if err != nil {
				break
			}
			total += len(m.Raw)
		}
		if total > 2*len(text)+2 {
			t.Errorf("%d bytes became %d", len(text), total)
		}
	})
}
