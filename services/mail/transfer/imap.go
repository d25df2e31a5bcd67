package transfer

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"net"
	"slices"
	"strings"
	"time"

	"cairn/services/mail/mailbox"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"
)

// An IMAP is a mail server that is read from.
type IMAP struct {
	Conn           net.Conn // encrypted already, where it is to be
	Host           string   // for the notes on how far it was read
	User, Password string
	// Noted returns a file of the user's branch here; absent is fs.ErrNotExist.
	Noted func(path string) ([]byte, error)
}

// A mark is how far a mailbox of a server has been read.
type mark struct {
	path     string
	validity uint32
	uid      imap.UID
}

func (m *mark) text() string { return fmt.Sprintf("%d %d\n", m.validity, m.uid) }

// ErrLogin says that the server does not let us in.
var ErrLogin = errors.New("the server does not take this name and password")

// windowUIDs is how many messages are asked for at once.
const windowUIDs = 50

// Messages reads all mailboxes of the server, from where they were read to before. What is only there virtually (Gmail's
// "All Mail") is read as well; a message that is in several mailboxes there is in several here, and its bytes
// once.
func (s *IMAP) Messages(ctx context.Context) iter.Seq2[Message, error] {
	return func(yield func(Message, error) bool) {
		stop := context.AfterFunc(ctx, func() { s.Conn.SetDeadline(time.Unix(1, 0)) })
		defer stop()
		client := imapclient.New(s.Conn, nil)
		defer client.Close()
		if err := client.Login(s.User, s.Password).Wait(); err != nil {
			if _, ok := errors.AsType[*imap.Error](err); ok {
				err = fmt.Errorf("%w: %w", ErrLogin, err)
			}
			yield(Message{}, err)
			return
		}
		boxes, err := client.List("", "*", nil).Collect()
		if err != nil {
			yield(Message{}, fmt.Errorf("list mailboxes: %w", err))
			return
		}
		for _, b := range boxes {
			if slices.Contains(b.Attrs, imap.MailboxAttrNoSelect) || slices.Contains(b.Attrs, imap.MailboxAttrNonExistent) {
				continue
			}
			if !s.mailbox(client, b, yield) {
				return
			}
		}
		client.Logout().Wait() // what we wanted is here
	}
}

// mailbox reads one; false: no more.
func (s *IMAP) mailbox(client *imapclient.Client, b *imap.ListData, yield func(Message, error) bool) bool {
	name := b.Mailbox
	if b.Delim != 0 && b.Delim != '/' {
		name = strings.ReplaceAll(strings.ReplaceAll(name, "/", "_"), string(b.Delim), "/")
	}
	selected, err := client.Select(b.Mailbox, &imap.SelectOptions{ReadOnly: true}).Wait()
	if err != nil {
		return yield(Message{}, fmt.Errorf("mailbox %s: %w", b.Mailbox, err))
	}
	sum := sha256.Sum256([]byte(b.Mailbox))
	m := mark{path: "import/" + s.Host + "/" + hex.EncodeToString(sum[:8]) + ".txt", validity: selected.UIDValidity}
	next, err := s.begin(m)
	if err != nil {
		return yield(Message{}, err)
	}
	found, err := client.UIDSearch(&imap.SearchCriteria{UID: []imap.UIDSet{{imap.UIDRange{Start: next, Stop: 0}}}}, nil).Wait()
	if err != nil {
		return yield(Message{}, fmt.Errorf("mailbox %s: %w", b.Mailbox, err))
	}
	uids := slices.DeleteFunc(found.AllUIDs(), func(u imap.UID) bool { return u < next }) // n:* has the last one always
	slices.Sort(uids)
	for window := range slices.Chunk(uids, windowUIDs) {
		if !s.fetch(client, window, name, m, yield) {
			return false
		}
	}
	return true
}

// begin is the first UID that was not read.
func (s *IMAP) begin(m mark) (imap.UID, error) {
	text, err := s.Noted(m.path)
	if errors.Is(err, fs.ErrNotExist) {
		return 1, nil
	}
	if err != nil {
		return 0, err
	}
	var validity uint32
	var uid imap.UID
	if _, err := fmt.Sscanf(string(text), "%d %d", &validity, &uid); err != nil || validity != m.validity {
		return 1, nil
	}
	return uid + 1, nil
}

func (s *IMAP) fetch(client *imapclient.Client, uids []imap.UID, name string, at mark, yield func(Message, error) bool) bool {
	section := &imap.FetchItemBodySection{Peek: true}
	cmd := client.Fetch(imap.UIDSetNum(uids...), &imap.FetchOptions{UID: true, Flags: true, InternalDate: true, BodySection: []*imap.FetchItemBodySection{section}})
	defer cmd.Close()
	for {
		data := cmd.Next()
		if data == nil {
			break
		}
		m, uid, err := read(data)
		m.Mailbox = name
		if err == nil && m.Raw == nil {
			continue // flags of another message that somebody has changed meanwhile
		}
		here := at
		here.uid = uid
		m.mark = &here
		if err != nil {
			err = fmt.Errorf("message %d of %s: %w", uid, name, err)
		}
		if !yield(m, err) {
			return false
		}
	}
	if err := cmd.Close(); err != nil {
		return yield(Message{}, fmt.Errorf("mailbox %s: %w", name, err))
	}
	return true
}

// read reads what the server says of one message.
func read(data *imapclient.FetchMessageData) (m Message, uid imap.UID, err error) {
	for {
		switch item := data.Next().(type) {
		case nil:
			m.Raw = crlf(m.Raw)
			return m, uid, err
		case imapclient.FetchItemDataUID:
			uid = item.UID
		case imapclient.FetchItemDataFlags:
			var list []mailbox.Flag
			for _, f := range item.Flags {
				list = append(list, mailbox.Flag(f))
			}
			m.Flags = mailbox.NewFlags(list...)
		case imapclient.FetchItemDataInternalDate:
			m.Date = item.Time
		case imapclient.FetchItemDataBodySection:
			if item.Literal == nil {
				continue
			}
			if item.Literal.Size() > maxMessage {
				err = errTooLarge
				continue
			}
			if m.Raw, err = io.ReadAll(item.Literal); err != nil {
				return m, uid, err
			}
		}
	}
}
