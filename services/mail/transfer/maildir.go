package transfer

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"cairn/services/mail/mailbox"
)

// Maildir reads a folder of messages, a file each in cur and new, and, as Maildir++ has it, the folders in it
// whose names begin with a dot as mailboxes of their own: .Work.2024 is Work/2024. The folder itself
// is the mailbox box.
func Maildir(dir fs.FS, box string) iter.Seq2[Message, error] {
	return func(yield func(Message, error) bool) {
		if !maildir(dir, ".", box, yield) {
			return
		}
		entries, err := fs.ReadDir(dir, ".")
		if err != nil {
			yield(Message{}, err)
			return
		}
		for _, e := range entries {
			name, ok := strings.CutPrefix(e.Name(), ".")
			if !ok || !e.IsDir() || !IsMaildir(dir, e.Name()) {
				continue
			}
			if !maildir(dir, e.Name(), strings.ReplaceAll(name, ".", "/"), yield) {
				return
			}
		}
	}
}

// IsMaildir reports whether a folder is one of messages.
func IsMaildir(dir fs.FS, name string) bool {
	st, err := fs.Stat(dir, path.Join(name, "cur"))
	return err == nil && st.IsDir()
}

func maildir(dir fs.FS, at, box string, yield func(Message, error) bool) bool {
	for _, sub := range []string{"cur", "new"} {
		entries, err := fs.ReadDir(dir, path.Join(at, sub))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return yield(Message{}, err)
		}
		for _, e := range entries {
			if e.IsDir() || strings.HasPrefix(e.Name(), ".") {
				continue
			}
			if !yield(maildirFile(dir, path.Join(at, sub, e.Name()), box)) {
				return false
			}
		}
	}
	return true
}

func maildirFile(dir fs.FS, name, box string) (Message, error) {
	st, err := fs.Stat(dir, name)
	if err != nil {
		return Message{}, err
	}
	if st.Size() > maxMessage {
		return Message{}, fmt.Errorf("%s: %w", name, errTooLarge)
	}
	raw, err := fs.ReadFile(dir, name)
	if err != nil {
		return Message{}, err
	}
	m := Message{Mailbox: box, Raw: crlf(raw), Date: st.ModTime(), Flags: maildirFlags(name)}
	if seconds, err := strconv.ParseInt(strings.SplitN(path.Base(name), ".", 2)[0], 10, 64); err == nil && seconds > 0 && seconds < 1<<33 {
		m.Date = time.Unix(seconds, 0) // when it was delivered (maildir(5))
	}
	return m, nil
}

// crlf returns text with CRLF line ends.
func crlf(raw []byte) []byte {
	lines := bytes.Count(raw, []byte("\n"))
	if bytes.Count(raw, []byte("\r\n")) == lines {
		return raw
	}
	out := make([]byte, 0, len(raw)+lines)
	for line := range bytes.Lines(raw) {
		if bare, ok := bytes.CutSuffix(line, []byte("\n")); ok {
			out = append(append(out, bytes.TrimSuffix(bare, []byte("\r"))...), "\r\n"...)
		} else {
			out = append(out, line...)
		}
	}
	return out
}

// letters are the flags in the names of a Maildir's files.
var letters = map[rune]mailbox.Flag{'D': mailbox.Draft, 'F': mailbox.Flagged, 'P': "$Forwarded", 'R': mailbox.Answered, 'S': mailbox.Seen, 'T': mailbox.Deleted}

func maildirFlags(name string) mailbox.Flags {
	_, info, ok := strings.Cut(path.Base(name), ":2,")
	if !ok {
		return mailbox.Flags{}
	}
	var list []mailbox.Flag
	for _, c := range info {
		if f, ok := letters[c]; ok {
			list = append(list, f)
		}
	}
	return mailbox.NewFlags(list...)
}

// WriteMaildir writes messages as files of a Maildir, and those of other mailboxes than box as those of
// folders in it. create makes a file at a path, with the folders on the way.
func WriteMaildir(create func(path string, data []byte, date time.Time) error, box string, messages iter.Seq2[Message, error]) (n int, err error) {
	for m, err := range messages {
		if err != nil {
			return n, err
		}
		dir := ""
		if m.Mailbox != box {
			dir = "." + strings.ReplaceAll(strings.ReplaceAll(m.Mailbox, ".", "_"), "/", ".") + "/"
		}
		info := ""
		for _, c := range slices.Sorted(maps.Keys(letters)) {
			if m.Flags.Has(letters[c]) {
				info += string(c)
			}
		}
		n++
		name := fmt.Sprintf("%scur/%d.%d.cairn:2,%s", dir, m.Date.Unix(), n, info)
		if err := create(name, bytes.ReplaceAll(m.Raw, []byte("\r\n"), []byte("\n")), m.Date); err != nil {
			return n, err
		}
	}
	return n, nil
}
