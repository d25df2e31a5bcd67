// Package transfer carries mail in and out of mailboxes: mbox files, Maildir folders, and other servers
// by IMAP.
//
//	result, err := transfer.Import(ctx, boxes, change, "alice", transfer.Mbox(file, "INBOX"), nil)
//
// A message that is there already is not brought in again: what counts is its bytes, and how
// often the source has them. So an import that was broken off goes on where it was when it is begun anew, and one
// that is repeated brings only what is new. Of an IMAP server, where reading is dear, it is noted on
// the user's branch how far it was read.
//
// Memory is bounded by one batch of messages, and 20 bytes for each that a mailbox holds.
package transfer

import (
	"time"

	"cairn/services/mail/mailbox"
)

// A Message is one on its way.
type Message struct {
	Mailbox string // where it belongs, with a slash between levels
	Raw     []byte // with CRLF line ends
	Flags   mailbox.Flags
	Date    time.Time // when it was received; zero: not known

	// mark is where its source is when the message is there, nil when the source has no places.
	mark *mark
}

// maxMessage is the largest message that is carried, in bytes.
const maxMessage = 60 << 20
