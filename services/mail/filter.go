package mail

import (
	"context"
	"errors"

	"cairn/services/mail/auth"
	"cairn/services/mail/mailbox"
)

// A Filter says what a user wants done with a message; nil is to keep it. Its error has the message
// kept: no mistake in a script loses mail.
type Filter func(ctx context.Context, d *Delivery) (*Wishes, error)

// A Delivery is one message for one user.
type Delivery struct {
	Target
	In     *Incoming
	Raw    []byte       // the message; that of In is as it was handed in
	Trace  []byte       // fields that are put in front of it for this user
	Result *auth.Result // who has sent it; nil when that was not checked, as with mail of our own
	Junk   bool         // it looks like junk
}

// Author is the address that the message was proved to come from, "" when it was not.
func (d *Delivery) Author() string {
	switch {
	case !d.In.fromOutside() || d.Result != nil && d.Result.DMARC.Verdict == auth.Pass:
		return firstFrom(d.Raw)
	}
	return ""
}

// Keep is where the message belongs when nobody wishes otherwise: in Junk, or in the inbox.
func (d *Delivery) Keep() Filing {
	if d.Junk {
		return Filing{Use: mailbox.Junk}
	}
	return Filing{Mailbox: mailbox.Inbox}
}

// Wishes are what is to be done. The zero Wishes do nothing: they discard the message.
type Wishes struct {
	File     []Filing
	Redirect []string // addresses
	Reject   string   // what the sender is told, "" not to reject
	Replies  []Reply
	// Remember changes what lies beside the mail, in the same update: whom vacation has
	// answered. Nil: nothing.
	Remember func(*mailbox.Edit) error
}

// A Filing is a mailbox that gets the message.
type Filing struct {
	Mailbox string             // by name, or
	Use     mailbox.SpecialUse // by use; where there is no such mailbox, it is the inbox
	Flags   mailbox.Flags
	Create  bool // make the mailbox where there is none
}

// A Reply is a message that goes back, such as that of vacation: with the null sender.
type Reply struct {
	To  string
	Raw []byte
}

// file puts a message where f says, or else in the inbox.
func file(e *mailbox.Edit, f Filing, n mailbox.New) error {
	name := f.Mailbox
	if f.Use != "" {
		name = mailbox.Inbox
		if info, err := e.ByUse(f.Use); err == nil {
			name = info.Name
		}
	}
	n.Flags = f.Flags
	_, err := e.Append(name, n)
	var bad *mailbox.NameError
	if errors.Is(err, mailbox.ErrNoMailbox) && f.Create {
		if err = e.Create(name, ""); err == nil {
			err = e.Subscribe(name) // else programs would not show what is in it
		}
		if err == nil {
			_, err = e.Append(name, n)
		}
	}
	if errors.Is(err, mailbox.ErrNoMailbox) || errors.As(err, &bad) {
		_, err = e.Append(mailbox.Inbox, n)
	}
	return err
}
