package transfer

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"iter"
	"strings"
	"time"

	"cairn/services/mail/mailbox"
	"cairn/services/mail/message"
)

// Mbox reads a file of messages, each after a line that begins with "From " (RFC 4155, mboxrd and
// mboxo). Flags are those of the fields Status, X-Status and X-Keywords, which mail programs keep there and
// which stay in the message, as every byte of it does.
func Mbox(r io.Reader, box string) iter.Seq2[Message, error] {
	return func(yield func(Message, error) bool) {
		m := mboxReader{in: bufio.NewReaderSize(r, 64<<10), box: box}
		for {
			msg, err := m.next()
			if errors.Is(err, io.EOF) {
				return
			}
			if !yield(msg, err) || err != nil && !errors.Is(err, errTooLarge) {
				return
			}
		}
	}
}

var (
	errTooLarge = errors.New("the message is larger than 60 MiB")
	errNoMbox   = errors.New(`this is no mbox file: it does not begin with a line "From "`)
)

type mboxReader struct {
	in    *bufio.Reader
	box   string
	began bool
	from  string // the line before the message that comes
	count int
}

// next reads one message; io.EOF after the last.
func (m *mboxReader) next() (Message, error) {
	if !m.began {
		line, err := m.line()
		if err != nil {
			return Message{}, err
		}
		if !bytes.HasPrefix(line, []byte("From ")) {
			return Message{}, errNoMbox
		}
		m.began, m.from = true, string(line)
	}
	if m.from == "" {
		return Message{}, io.EOF
	}
	m.count++
	from := m.from
	m.from = ""
	raw, err := m.body()
	if err != nil {
		return Message{}, fmt.Errorf("message %d: %w", m.count, err)
	}
	msg := Message{Mailbox: m.box, Raw: raw, Date: fromDate(from)}
	msg.Flags = statusFlags(raw)
	if msg.Date.IsZero() {
		head, _ := message.Split(raw)
		msg.Date, _ = message.ParseHeader(head).Date()
	}
	return msg, nil
}

// body reads up to the next "From " line, without the empty line before that.
func (m *mboxReader) body() ([]byte, error) {
	var raw []byte
	large, empty := false, false
	for {
		line, err := m.line()
		if err == nil && empty && bytes.HasPrefix(line, []byte("From ")) {
			m.from = string(line)
			break
		}
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		if empty {
			raw = append(raw, "\r\n"...)
		}
		if empty = len(line) == 0; empty {
			continue
		}
		if quoted := bytes.TrimLeft(line, ">"); len(quoted) < len(line) && bytes.HasPrefix(quoted, []byte("From ")) {
			line = line[1:]
		}
		if large = large || len(raw)+len(line) > maxMessage; large {
			raw = raw[:0]
			continue
		}
		raw = append(append(raw, line...), "\r\n"...)
	}
	if empty && !large && !hasBody(raw) {
		raw = append(raw, "\r\n"...) // the line behind the header is no separator
	}
	if large {
		return nil, errTooLarge
	}
	return raw, nil
}

// hasBody reports whether the header of a message has its end.
func hasBody(raw []byte) bool { return bytes.Contains(raw, []byte("\r\n\r\n")) }

// line reads a line without its end, which may be LF or CRLF. The bytes are good until the next call.
func (m *mboxReader) line() ([]byte, error) {
	line, err := m.in.ReadSlice('\n')
	if errors.Is(err, bufio.ErrBufferFull) {
		long := bytes.Clone(line)
		for errors.Is(err, bufio.ErrBufferFull) && len(long) <= maxMessage {
			line, err = m.in.ReadSlice('\n')
			long = append(long, line...)
		}
		for errors.Is(err, bufio.ErrBufferFull) { // too long already: its rest does not count
			_, err = m.in.ReadSlice('\n')
		}
		line = long
	}
	if errors.Is(err, io.EOF) && len(line) > 0 {
		err = nil
	}
	if err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(bytes.TrimSuffix(line, []byte("\n")), []byte("\r")), nil
}

// fromDate is the time in a "From " line, which is asctime's (RFC 4155), the zero time if there is none.
func fromDate(line string) time.Time {
	fields := strings.Fields(line)
	for i := 1; i < len(fields); i++ {
		for _, layout := range []string{"Mon Jan 2 15:04:05 2006", "Mon Jan 2 15:04:05 2006 -0700", "Mon Jan 2 15:04:05 -0700 2006"} {
			n := len(strings.Fields(layout))
			if i+n > len(fields) {
				continue
			}
			if t, err := time.Parse(layout, strings.Join(fields[i:i+n], " ")); err == nil {
				return t
			}
		}
	}
	return time.Time{}
}

// statusFlags are the flags that mail programs keep in the header.
func statusFlags(raw []byte) mailbox.Flags {
	head, _ := message.Split(raw)
	h := message.ParseHeader(head)
	var list []mailbox.Flag
	for _, c := range h.Get("Status") + h.Get("X-Status") {
		if f, ok := map[rune]mailbox.Flag{'R': mailbox.Seen, 'A': mailbox.Answered, 'F': mailbox.Flagged, 'D': mailbox.Deleted, 'T': mailbox.Draft}[c]; ok {
			list = append(list, f)
		}
	}
	for _, k := range strings.Fields(h.Get("X-Keywords")) {
		list = append(list, mailbox.Flag(k))
	}
	return mailbox.NewFlags(list...)
}

// WriteMbox writes messages as an mboxrd file, with LF line ends.
func WriteMbox(w io.Writer, messages iter.Seq2[Message, error]) (n int, err error) {
	out := bufio.NewWriterSize(w, 64<<10)
	for m, err := range messages {
		if err != nil {
			return n, errors.Join(err, out.Flush())
		}
		head, _ := message.Split(m.Raw)
		sender := "MAILER-DAEMON"
		if from := message.ParseHeader(head).Addresses("From"); len(from) > 0 && !strings.ContainsAny(from[0].Addr(), " \t") {
			sender = from[0].Addr()
		}
		fmt.Fprintf(out, "From %s %s\n", sender, m.Date.UTC().Format("Mon Jan _2 15:04:05 2006"))
		for line := range bytes.Lines(m.Raw) {
			line = bytes.TrimSuffix(bytes.TrimSuffix(line, []byte("\n")), []byte("\r"))
			if bytes.HasPrefix(bytes.TrimLeft(line, ">"), []byte("From ")) {
				out.WriteByte('>')
			}
			out.Write(line)
			out.WriteByte('\n')
		}
		if err := out.WriteByte('\n'); err != nil {
			return n, err
		}
		n++
	}
	return n, out.Flush()
}
