package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"iter"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"cairn/cmd/setup/mail"
	"cairn/libos"
	"cairn/net/certs"
	"cairn/net/host"
	"cairn/services/mail/mailbox"
	"cairn/services/mail/transfer"
	"cairn/store"
)

type mailImport struct {
	passwordFlag
	Place  string `arg:"" help:"Whose, such as alice, or alice/Old for a mailbox of hers."`
	Source string `arg:"" help:"An mbox file, a Maildir, or another server: imaps://USER@HOST."`
}

func (c *mailImport) Run(ctx context.Context, h home, term terminal) error {
	user, box, _ := strings.Cut(c.Place, "/")
	return withHouse(ctx, h, func(house *house) error {
		if _, err := house.knownUser(ctx, user); err != nil {
			return err
		}
		boxes := mail.OpenBoxes(libos.Env{}, house.repo, house.config)
		source, closing, err := c.open(ctx, term, boxes.Box(user), box)
		if err != nil {
			return err
		}
		tell := newCount(term.err)
		r, err := transfer.Import(ctx, boxes, store.Change{Author: operator(), Message: "Import mail from " + withoutUser(c.Source) + "\n"}, user, source, tell.show)
		tell.end()
		fmt.Fprintf(term.out, "%d messages were brought in, %d were there already.\n", r.New, r.Known)
		for i, bad := range r.Bad {
			if i == 20 {
				fmt.Fprintf(term.err, "and %d more\n", len(r.Bad)-i)
				break
			}
			fmt.Fprintln(term.err, "left out:", bad)
		}
		if err != nil {
			err = fmt.Errorf("%w: the same command goes on where it was", err)
		}
		return errors.Join(err, closing())
	})
}

// withoutUser is a source without who logs in there.
func withoutUser(source string) string {
	if u, err := url.Parse(source); err == nil && u.Host != "" {
		return u.Hostname()
	}
	return filepath.Base(source)
}

// open opens a source, whatever it is.
func (c *mailImport) open(ctx context.Context, term terminal, to *mailbox.Box, box string) (iter.Seq2[transfer.Message, error], func() error, error) {
	nothing := func() error { return nil }
	if strings.HasPrefix(c.Source, "imaps://") || strings.HasPrefix(c.Source, "imap://") {
		if box != "" {
			return nil, nil, errors.New("of a server all mailboxes are brought in, under their own names: say whose they are, such as alice")
		}
		return c.dial(ctx, term, to)
	}
	if box == "" {
		box = "INBOX"
	}
	st, err := os.Stat(c.Source)
	if err != nil {
		return nil, nil, err
	}
	if st.IsDir() {
		dir := os.DirFS(c.Source)
		if !transfer.IsMaildir(dir, ".") {
			return nil, nil, fmt.Errorf("%s is no Maildir: there is no folder cur in it", c.Source)
		}
		return transfer.Maildir(dir, box), nothing, nil
	}
	f, err := os.Open(c.Source)
	if err != nil {
		return nil, nil, err
	}
	return transfer.Mbox(f, box), f.Close, nil
}

// dial connects to another server.
func (c *mailImport) dial(ctx context.Context, term terminal, to *mailbox.Box) (iter.Seq2[transfer.Message, error], func() error, error) {
	u, err := url.Parse(c.Source)
	if err != nil {
		return nil, nil, err
	}
	port, user := u.Port(), u.User.Username()
	if port == "" {
		port = map[string]string{"imaps": "993", "imap": "143"}[u.Scheme]
	}
	if user == "" {
		return nil, nil, fmt.Errorf("say who logs in: %s://USER@%s", u.Scheme, u.Host)
	}
	conn, err := host.New(host.Options{}).Dial(ctx, "tcp", net.JoinHostPort(u.Hostname(), port))
	if err != nil {
		return nil, nil, err
	}
	at, ok := conn.RemoteAddr().(*net.TCPAddr)
	switch {
	case u.Scheme == "imaps":
		config := certs.ClientConfig(nil)
		config.ServerName = u.Hostname()
		conn = tls.Client(conn, config)
	case !ok || !at.IP.IsLoopback():
		return nil, nil, errors.Join(conn.Close(), errors.New("imap:// would send the password in the clear: write imaps://"))
	}
	fmt.Fprintf(term.err, "Password of %s at %s: ", user, u.Hostname())
	c.PasswordStdin = true
	password, _, err := c.password(term)
	if err != nil {
		return nil, nil, errors.Join(err, conn.Close())
	}
	from := &transfer.IMAP{Conn: conn, Host: u.Hostname(), User: user, Password: password, Noted: func(path string) ([]byte, error) {
		snap, err := to.Snapshot(ctx)
		if err != nil {
			return nil, err
		}
		return snap.ReadFile(path)
	}}
	return from.Messages(ctx), conn.Close, nil
}

type mailExport struct {
	Place   string `arg:"" help:"Whose, such as alice, or alice/Old for one mailbox."`
	To      string `arg:"" help:"A new file, or - for standard output; with --maildir a new folder."`
	Maildir bool   `help:"As a Maildir, with all mailboxes and flags. Otherwise as an mbox file."`
}

func (c *mailExport) Run(ctx context.Context, h home, term terminal) error {
	user, box, one := strings.Cut(c.Place, "/")
	var names []string
	if one {
		names = []string{box}
	}
	return withHouse(ctx, h, func(house *house) error {
		if _, err := house.knownUser(ctx, user); err != nil {
			return err
		}
		source := transfer.Export(ctx, mail.OpenBoxes(libos.Env{}, house.repo, house.config), user, names...)
		n, err := c.write(source, box, term.out)
		if err == nil {
			fmt.Fprintf(term.err, "%d messages\n", n)
		}
		return err
	})
}

func (c *mailExport) write(source iter.Seq2[transfer.Message, error], box string, out io.Writer) (n int, err error) {
	if c.Maildir {
		if err := os.Mkdir(c.To, 0o700); err != nil {
			return 0, err
		}
		for _, sub := range []string{"cur", "new", "tmp"} {
			if err := os.Mkdir(filepath.Join(c.To, sub), 0o700); err != nil {
				return 0, err
			}
		}
		if box == "" {
			box = "INBOX"
		}
		return transfer.WriteMaildir(c.create, box, source)
	}
	if c.To == "-" {
		return transfer.WriteMbox(out, source)
	}
	f, err := os.OpenFile(c.To, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return 0, err
	}
	n, err = transfer.WriteMbox(f, source)
	return n, errors.Join(err, f.Close())
}

// create writes a file of a Maildir.
func (c *mailExport) create(name string, data []byte, date time.Time) error {
	name = filepath.Join(c.To, name)
	dir := filepath.Dir(name)
	for _, sub := range []string{"cur", "new", "tmp"} {
		if err := os.MkdirAll(filepath.Join(filepath.Dir(dir), sub), 0o700); err != nil {
			return err
		}
	}
	if err := os.WriteFile(name, data, 0o600); err != nil {
		return err
	}
	return os.Chtimes(name, date, date)
}

// A count tells somebody at a terminal how many messages have come.
type count struct {
	to   io.Writer
	last time.Time
	told bool
}

func newCount(to io.Writer) *count { return &count{to: to} }

func (c *count) show(r transfer.Result) {
	if now := time.Now(); now.Sub(c.last) > 200*time.Millisecond {
		c.last, c.told = now, true
		fmt.Fprintf(c.to, "\r%d messages, %d MB; %d were there already ", r.New, r.Bytes>>20, r.Known)
	}
}

func (c *count) end() {
	if c.told {
		fmt.Fprintln(c.to)
	}
}
