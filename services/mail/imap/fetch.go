package imap

import (
	"cmp"
	"errors"
	"io/fs"
	"strconv"
	"strings"

	"cairn/services/mail/mailbox"
	"cairn/services/mail/message"

	"github.com/emersion/go-imap/v2"
)

// fetch is FETCH and UID FETCH.
func (s *session) fetch(c *command) error {
	a := c.arguments()
	set, err := spaced(a, a.set)
	if err == nil {
		err = a.space()
	}
	if err != nil {
		return err
	}
	f, err := parseFetch(a)
	if err != nil {
		return err
	}
	uid := strings.HasPrefix(c.name, "UID ")
	f.uid = f.uid || uid
	if f.vanished && (!uid || !s.qresync || !f.since) {
		return bad("VANISHED goes with UID FETCH, CHANGEDSINCE and ENABLE QRESYNC")
	}
	s.condStore = s.condStore || f.modSeq
	if err := s.refresh(); err != nil {
		return err
	}
	ranges, err := s.view.find(set, uid)
	if err != nil {
		return err
	}
	if f.vanished {
		if err := s.front.wire.send(s.earlier(nil, set, 0)); err != nil {
			return err
		}
	}
	return s.fetchAll(f, ranges)
}

// spaced reads something behind a space.
func spaced[T any](a *scanner, read func() (T, error)) (T, error) {
	if err := a.space(); err != nil {
		var zero T
		return zero, err
	}
	return read()
}

// fetchAll sends what is asked for of messages.
func (s *session) fetchAll(f *fetch, ranges []indexRange) error {
	became, err := s.markSeen(f, ranges)
	if err != nil {
		return err
	}
	out := &fetchWriter{s: s, f: f, utf8: s.utf8()}
	var lost error
	err = s.view.each(ranges, func(i int, m mailbox.Message) error {
		if m.ModSeq <= f.changedSince {
			return nil
		}
		err := out.message(i, m, became[m.UID])
		if errors.Is(err, fs.ErrNotExist) { // expunged, and pruned since
			lost, err = err, nil
		}
		return err
	})
	if sendErr := s.front.wire.send(out.b); sendErr != nil {
		return sendErr
	}
	return cmp.Or(err, lost)
}

// markSeen sets \Seen on messages that are about to be read, and returns which had not got it. While the
// store cannot be written, reading goes on.
func (s *session) markSeen(f *fetch, ranges []indexRange) (map[mailbox.UID]bool, error) {
	if !f.seen() || s.view.readOnly {
		return nil, nil
	}
	var uids []mailbox.UID
	s.view.each(ranges, func(_ int, m mailbox.Message) error {
		if !m.Flags.Has(mailbox.Seen) && m.ModSeq > f.changedSince {
			uids = append(uids, m.UID)
		}
		return nil
	})
	if len(uids) == 0 {
		return nil, nil
	}
	seen := mailbox.NewFlags(mailbox.Seen)
	changed, err := s.setFlags(uids, func(m mailbox.Message) mailbox.Flags { return m.Flags.With(seen) })
	if err != nil {
		s.server.Log.Warn("imap: messages were read and not marked so", "user", s.name(), "err", err)
		return nil, nil
	}
	became := map[mailbox.UID]bool{}
	for _, m := range changed {
		became[m.UID] = true
		s.view.know(m)
	}
	return became, s.refresh()
}

// A fetchWriter writes FETCH responses.
type fetchWriter struct {
	s    *session
	f    *fetch
	utf8 bool
	b    []byte // not sent yet

	raw   []byte // of the message at hand, when it had to be read
	parts []message.Part
}

// message writes the response for one message.
func (w *fetchWriter) message(i int, m mailbox.Message, seen bool) error {
	var c mailbox.Content
	if w.f.full() {
		free, err := w.s.server.memory.take(w.s.ctx, int64(m.Size))
		if err != nil {
			return err
		}
		defer free()
		if c, err = w.s.view.base.Content(w.s.ctx, m); err != nil {
			return err
		}
		if w.raw, w.parts = nil, nil; !w.whole() {
			w.raw = c.Bytes()
		}
		defer func() { w.raw, w.parts = nil, nil }()
		if err := w.decodable(); err != nil {
			return err
		}
	}
	w.b = append(strconv.AppendInt(append(w.b, "* "...), int64(i+1), 10), " FETCH ("...)
	w.known(m, seen)
	if err := w.read(c); err != nil {
		return err
	}
	w.b[len(w.b)-1] = ')' // in place of the last item's space
	w.b = append(w.b, "\r\n"...)
	if len(w.b) < outBuffer {
		return nil
	}
	return w.send()
}

func (w *fetchWriter) send() error {
	err := w.s.front.wire.send(w.b)
	w.b = w.b[:0]
	return err
}

// known writes what is known without reading the message, and its flags if it was just marked as
// seen. A space follows each item.
func (w *fetchWriter) known(m mailbox.Message, seen bool) {
	f, b := w.f, w.b
	if f.uid {
		b = append(strconv.AppendUint(append(b, "UID "...), uint64(m.UID), 10), ' ')
	}
	if f.flags || seen {
		b = append(append(append(b, "FLAGS ("...), m.Flags.String()...), ") "...)
	}
	if f.modSeq || seen && w.s.condStore {
		b = append(strconv.AppendUint(append(b, "MODSEQ ("...), m.ModSeq, 10), ") "...)
	}
	if f.date {
		b = m.Internal().AppendFormat(append(b, "INTERNALDATE "...), `"_2-Jan-2006 15:04:05 -0700" `)
	}
	if f.size {
		b = append(strconv.AppendUint(append(b, "RFC822.SIZE "...), uint64(m.Size), 10), ' ')
	}
	if f.emailID {
		b = append(append(append(b, "EMAILID ("...), m.EmailID()...), ") "...)
	}
	if f.threadID {
		b = append(b, "THREADID NIL "...)
	}
	w.b = b
}

// read writes what a message has to be read for.
func (w *fetchWriter) read(c mailbox.Content) error {
	if w.f.envelope {
		head, _ := message.Split(w.raw)
		w.b = append(appendEnvelope(append(w.b, "ENVELOPE "...), message.ParseHeader(head), w.utf8), ' ')
	}
	if w.f.body {
		w.b = append(appendStructure(append(w.b, "BODY "...), w.structure(), false, w.utf8), ' ')
	}
	if w.f.structure {
		w.b = append(appendStructure(append(w.b, "BODYSTRUCTURE "...), w.structure(), true, w.utf8), ' ')
	}
	if w.f.preview {
		w.b = append(appendString(append(w.b, "PREVIEW "...), message.Preview(w.raw), w.utf8), ' ')
	}
	for _, sec := range w.f.sections {
		w.b = append(append(w.b, sec.item...), ' ')
		if err := w.section(sec, c); err != nil {
			return err
		}
		w.b = append(w.b, ' ')
	}
	return nil
}

// whole reports whether messages are asked for as they are and in no other way.
func (w *fetchWriter) whole() bool {
	f := w.f
	if f.envelope || f.body || f.structure || f.preview {
		return false
	}
	for _, s := range f.sections {
		if s.kind != bodySection || len(s.path) > 0 || s.what != "" || s.length >= 0 {
			return false
		}
	}
	return true
}

func (w *fetchWriter) structure() []message.Part {
	if w.parts == nil {
		w.parts = message.Structure(w.raw)
	}
	return w.parts
}

// section writes the value of BODY[…], BINARY[…] or BINARY.SIZE[…].
func (w *fetchWriter) section(sec section, c mailbox.Content) error {
	if w.raw == nil {
		w.b = strconv.AppendInt(append(w.b, '{'), c.Size(), 10)
		w.b = append(w.b, "}\r\n"...)
		if err := w.send(); err != nil {
			return err
		}
		_, err := c.WriteTo(sender{&w.s.front.wire})
		return err
	}
	data, ok := w.extract(sec)
	switch {
	case sec.kind == binarySize:
		w.b = strconv.AppendInt(w.b, int64(len(data)), 10)
		return nil
	case !ok:
		w.b = append(w.b, "NIL"...)
		return nil
	case sec.kind == binarySection:
		w.b = append(w.b, '~')
	}
	if sec.length >= 0 {
		data = data[min(sec.offset, int64(len(data))):]
		data = data[:min(sec.length, int64(len(data)))]
	}
	w.b = append(strconv.AppendInt(append(w.b, '{'), int64(len(data)), 10), "}\r\n"...)
	if len(data) < outBuffer {
		w.b = append(w.b, data...)
		return nil
	}
	if err := w.send(); err != nil {
		return err
	}
	return w.s.front.wire.send(data)
}

// sender is a wire as an io.Writer.
type sender struct{ w *wire }

func (s sender) Write(p []byte) (int, error) { return len(p), s.w.send(p) }

// utf8 reports whether the client takes UTF-8 in quoted strings (RFC 9051 §9, RFC 6855).
func (s *session) utf8() bool {
	caps := s.conn.EnabledCaps()
	return caps.Has(imap.CapIMAP4rev2) || caps.Has(imap.CapUTF8Accept)
}
