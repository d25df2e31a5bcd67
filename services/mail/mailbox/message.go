package mailbox

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"time"

	"cairn/store"
)

// A UID names a message in a mailbox for ever (RFC 9051 §2.3.1.1).
type UID uint32

// A Message is what is known of a message without reading it. Two are == when nothing differs.
type Message struct {
	UID    UID
	Size   uint32 // bytes, as served
	ModSeq uint64 // RFC 7162
	Flags  Flags
	Blob   store.Hash // of the bytes as received; the same wherever the message is
	Trace  store.Hash // of what is put before them for this recipient; Zero: nothing

	received int64  // seconds since 1970
	hide     string // see state.go
}

// Internal is when the message was received (INTERNALDATE), in UTC and whole seconds.
func (m Message) Internal() time.Time { return time.Unix(m.received, 0).UTC() }

// EmailID is the message's EMAILID (RFC 8474): the same for what is served with the same bytes, in every mailbox.
func (m Message) EmailID() string {
	sum := sha256.Sum256(append(append(m.Blob[:], m.Trace[:]...), m.hide...))
	return "e" + hex.EncodeToString(sum[:16])
}

// A Content is a message as it is served: what is put before it for this recipient, and what was received,
// without the fields that are hidden.
type Content struct {
	Trace []byte // shared: nobody changes it
	Raw   []byte // as received; shared: nobody changes it
	hide  []Span
}

// newContent refuses spans that are not in raw.
func newContent(trace, raw []byte, hide string) (Content, error) {
	spans, err := parseSpans(hide)
	if err == nil {
		err = within(spans, int64(len(raw)))
	}
	return Content{trace, raw, spans}, err
}

// within refuses spans that reach beyond a message of size bytes.
func within(spans []Span, size int64) error {
	if n := len(spans); n > 0 && int64(spans[n-1].Offset)+int64(spans[n-1].Length) > size {
		return fmt.Errorf("hidden fields reach beyond the message's %d bytes", size)
	}
	return nil
}

// parts yields what is served.
func (c Content) parts(yield func([]byte) bool) {
	if !yield(c.Trace) {
		return
	}
	at := 0
	for _, s := range c.hide {
		if !yield(c.Raw[at:s.Offset]) {
			return
		}
		at = s.Offset + s.Length
	}
	yield(c.Raw[at:])
}

// Size is the number of bytes that are served.
func (c Content) Size() int64 {
	var n int64
	for p := range c.parts {
		n += int64(len(p))
	}
	return n
}

// Bytes returns what is served; shared: nobody changes it.
func (c Content) Bytes() []byte {
	if len(c.Trace) == 0 && len(c.hide) == 0 {
		return c.Raw
	}
	b := make([]byte, 0, c.Size())
	for p := range c.parts {
		b = append(b, p...)
	}
	return b
}

// WriteTo implements io.WriterTo, without making a copy of it all.
func (c Content) WriteTo(w io.Writer) (int64, error) {
	var n int64
	for p := range c.parts {
		k, err := w.Write(p)
		n += int64(k)
		if err != nil {
			return n, err
		}
	}
	return n, nil
}
