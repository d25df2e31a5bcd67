package transfer

import (
	"context"
	"errors"
	"io"
	"iter"
	"log"
	"net"
	"strings"
	"testing"
	"time"

	"cairn/services/mail/mailbox"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapserver"
	"github.com/emersion/go-imap/v2/imapserver/imapmemserver"
)

// A literal is a message to be put on the server.
type literal struct{ *strings.Reader }

func (l literal) Size() int64 { return l.Reader.Size() }

// serve runs another server with messages in INBOX and Old.2024.
func serve(t *testing.T) (*imapmemserver.User, func() net.Conn) {
	t.Helper()
	user := imapmemserver.NewUser("alice", "secret")
	for _, box := range []string{"INBOX", "Old/2024"} {
		if err := user.Create(box, nil); err != nil {
			t.Fatal(err)
		}
	}
	all := imapmemserver.New()
	all.AddUser(user)
	server := imapserver.New(&imapserver.Options{
		NewSession: func(*imapserver.Conn) (imapserver.Session, *imapserver.GreetingData, error) {
			return all.NewSession(), nil, nil
		},
		Caps: imap.CapSet{imap.CapIMAP4rev1: {}}, InsecureAuth: true, Logger: log.New(io.Discard, "", 0),
	})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go server.Serve(l)
	t.Cleanup(func() { server.Close() })
	return user, func() net.Conn {
		c, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
}

func put(t *testing.T, user *imapmemserver.User, box string, from, to int, flags ...imap.Flag) {
	t.Helper()
	for n := from; n < to; n++ {
		if _, err := user.Append(box, literal{strings.NewReader(mail(n))}, &imap.AppendOptions{Flags: flags, Time: time.Date(2020, 1, 2, 3, 4, n%60, 0, time.UTC)}); err != nil {
			t.Fatal(err)
		}
	}
}

// TestIMAP: everything comes, once, also when it is broken off and when more has come since.
func TestIMAP(t *testing.T) {
	user, dial := serve(t)
	put(t, user, "INBOX", 0, 3*windowUIDs+7, imap.FlagSeen)
	put(t, user, "Old/2024", 0, 5)
	b := newBoxes()
	source := func(password string) *IMAP {
		return &IMAP{Conn: dial(), Host: "old.example", User: "alice", Password: password, Noted: func(path string) ([]byte, error) {
			snap, err := b.Box("alice").Snapshot(t.Context())
			if err != nil {
				return nil, err
			}
			return snap.ReadFile(path)
		}}
	}
	for _, err := range source("wrong").Messages(t.Context()) {
		if !errors.Is(err, ErrLogin) {
			t.Errorf("a wrong password: %v", err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	if _, err := Import(ctx, b, change, "alice", upTo(source("secret").Messages(ctx), 70, cancel), nil); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	r, err := Import(t.Context(), b, change, "alice", source("secret").Messages(t.Context()), nil)
	if err != nil || len(r.Bad) > 0 {
		t.Fatalf("%+v, %v", r, err)
	}
	if r.Known > 1 {
		t.Errorf("%d messages were read again", r.Known)
	}
	put(t, user, "INBOX", 1000, 1002)
	if r, err = Import(t.Context(), b, change, "alice", source("secret").Messages(t.Context()), nil); err != nil || r.New != 2 || r.Known != 0 {
		t.Errorf("more: %+v, %v", r, err)
	}
	inbox, old := contents(t, b, "INBOX"), contents(t, b, "Old/2024")
	if len(inbox) != 3*windowUIDs+9 || len(old) != 5 || inbox[3] != mail(3) || old[4] != mail(4) {
		t.Errorf("%d in INBOX, %d in Old/2024", len(inbox), len(old))
	}
	for m := range Export(t.Context(), b, "alice", "INBOX") {
		if !m.Flags.Has(mailbox.Seen) && string(m.Raw) != mail(1000) && string(m.Raw) != mail(1001) || m.Date.Year() != 2020 {
			t.Errorf("flags %v, date %v", m.Flags, m.Date)
		}
	}
}

// upTo cancels after n messages.
func upTo(source iter.Seq2[Message, error], n int, cancel func()) iter.Seq2[Message, error] {
	return func(yield func(Message, error) bool) {
		for m, err := range source {
			if n--; n == 0 {
				cancel()
			}
			if !yield(m, err) {
				return
			}
		}
	}
}
