package mailbox

import (
	"context"
	"io"
	"iter"
	"time"

	"cairn/store"
)

// A UID names a message in a mailbox for ever (RFC 9051 §2.3.1.1).
type UID uint32

// A Message is what is known of a message without reading it.
type Message struct {
	UID    UID
	Size   uint32 // bytes, as served
	ModSeq uint64 // RFC 7162
	Flags  Flags
	Blob   store.Hash // of the bytes as received; the same wherever the message is
	Trace  store.Hash // of what was put before them for this recipient; Zero: nothing

	received int64
}

// Internal is when the message was received (INTERNALDATE), in UTC and whole seconds.
func (m Message) Internal() time.Time { return time.Unix(m.received, 0).UTC() }

// EmailID is the message's EMAILID (RFC 8474): the same for the same content, in every mailbox.
func (m Message) EmailID() string { return "" }

// A Mailbox is one mailbox of a Snapshot: immutable, safe for concurrent use, and cheap to hold: what has not
// changed is shared with its other versions.
type Mailbox struct {
	Info
}

// Len is how many messages there are.
func (m *Mailbox) Len() int { return 0 }

// At returns the i-th message by UID, from 0: that of the sequence number i+1.
func (m *Mailbox) At(i int) Message { return Message{} }

// Find returns the index of the message of this UID, or of the first one after it and false.
func (m *Mailbox) Find(uid UID) (i int, ok bool) { return 0, false }

// Messages yields index and message, by UID.
func (m *Mailbox) Messages() iter.Seq2[int, Message] { return func(func(int, Message) bool) {} }

// FirstUnseen is the index of the first message without \Seen, or -1.
func (m *Mailbox) FirstUnseen() int { return -1 }

// Keywords lists the keywords that messages have.
func (m *Mailbox) Keywords() []Flag { return nil }

// Content reads a message of the mailbox.
func (m *Mailbox) Content(ctx context.Context, msg Message) (Content, error) {
	return Content{}, errStub
}

// A Content is a message as it is served: what was put before it for this recipient, and what was received
// without the fields that are hidden.
type Content struct {
	Trace []byte // shared: nobody changes it
	Raw   []byte // as received, shared: nobody changes it
	hide  []Span
}

// Size is the number of bytes that are served.
func (c Content) Size() int64 { return 0 }

// Bytes returns what is served; shared: nobody changes it.
func (c Content) Bytes() []byte { return nil }

// WriteTo implements io.WriterTo, without a copy of it all.
func (c Content) WriteTo(w io.Writer) (int64, error) { return 0, errStub }

// A Span is a part of the bytes as received.
type Span struct{ Offset, Length int }

// Changes are what makes one version of a mailbox of another.
type Changes struct {
	Other    bool  // it is another mailbox (UIDVALIDITY): nothing of the older one holds
	Vanished []UID // ascending, as are the others
	Added    []UID
	Changed  []UID // flags
}

// Between says what has changed from one version of a mailbox to another. It costs what has changed.
func Between(old, new *Mailbox) Changes { return Changes{} }
