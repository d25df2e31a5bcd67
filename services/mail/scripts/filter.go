package scripts

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"sync"
	"time"

	"cairn/services/accounts"
	"cairn/services/mail"
	"cairn/services/mail/auth"
	"cairn/services/mail/mailbox"
	"cairn/services/mail/message"
	"cairn/services/mail/sieve"
	"cairn/store"

	"golang.org/x/text/unicode/norm"
)

// Filter says what a user's active script wants done with a message; nil when there is none. It is a
// mail.Filter.
func (s *Shelf) Filter(ctx context.Context, d *mail.Delivery) (*mail.Wishes, error) {
	box := s.Mail.Boxes.Box(d.User)
	tree, err := box.Branch().Tree(ctx)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil // the first message that the user gets
	}
	if err != nil {
		return nil, err
	}
	name, script, err := s.activeScript(tree)
	if script == nil || err != nil {
		return nil, err
	}
	boxes := sync.OnceValues(func() (*mailbox.Snapshot, error) { return box.View(tree) })
	outcome, err := script.Run(&sieve.Input{
		Raw: s.believable(d), Trace: d.Trace, From: d.In.From, To: d.Address, Now: s.Mail.Now(),
		Exists: func(name, use string) bool {
			snapshot, err := boxes()
			return err == nil && isThere(snapshot, name, use)
		},
	})
	if err != nil {
		return nil, fmt.Errorf("script %q: %w", name, err)
	}
	w := wishes(outcome, d.Junk, d.In.UTF8)
	if v := outcome.Vacation; v != nil && !d.Junk {
		if err := s.answer(ctx, v, tree, d, w); err != nil {
			s.Mail.Log.Warn("mail: vacation", "user", d.User, "id", d.In.ID, "err", err)
		}
	}
	return w, nil
}

// activeScript returns the script that runs, nil when none does.
func (s *Shelf) activeScript(t *store.Tree) (name string, script *sieve.Script, err error) {
	if name, err = activeIn(t); err != nil || name == "" {
		return "", nil, err
	}
	if err := checkName(name); err != nil {
		return "", nil, fmt.Errorf("%s: %w", activeFile, err)
	}
	e, err := t.Lookup(pathOf(name))
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil, nil // removed by hand
	}
	if err == nil {
		script, err = s.parsed.script(e.Hash, func() ([]byte, error) { return t.ReadFile(pathOf(name)) })
	}
	if err != nil {
		return "", nil, fmt.Errorf("script %q: %w", name, err)
	}
	return name, script, nil
}

// believable is the message without what pretends to be our own judgement on who has sent it: a
// script may ask for that.
func (s *Shelf) believable(d *mail.Delivery) []byte {
	if d.Result == nil {
		return d.Raw
	}
	head, _ := message.Split(d.Raw)
	spans := auth.Foreign(message.ParseHeader(head), d.Result.ID)
	if len(spans) == 0 {
		return d.Raw
	}
	var raw []byte
	from := 0
	for _, span := range spans {
		raw = append(raw, d.Raw[from:span.Start]...)
		from = span.End
	}
	return append(raw, d.Raw[from:]...)
}

// isThere reports whether there is a mailbox: by name, by special use, or of a name with a use.
func isThere(s *mailbox.Snapshot, name, use string) bool {
	u := useOf(use)
	switch {
	case use != "" && u == "":
		return false
	case name == "":
		_, err := s.ByUse(u)
		return err == nil
	}
	info, err := s.Info(name)
	return err == nil && info.Selectable && (use == "" || info.Use == u)
}

// useOf is the special use of a name, "" when there is none of it.
func useOf(name string) mailbox.SpecialUse {
	for _, u := range []mailbox.SpecialUse{mailbox.Drafts, mailbox.Sent, mailbox.Archive, mailbox.Junk, mailbox.Trash} {
		if strings.EqualFold(string(u), name) {
			return u
		}
	}
	return ""
}

// wishes says to the delivery what a script wants.
func wishes(o *sieve.Outcome, junk, utf8 bool) *mail.Wishes {
	w := &mail.Wishes{Redirect: o.Redirect, Reject: reason(o.Reject, utf8)}
	for _, f := range o.File {
		var flags []mailbox.Flag
		for _, flag := range f.Flags {
			flags = append(flags, mailbox.Flag(flag))
		}
		filing := mail.Filing{Mailbox: f.Mailbox, Use: useOf(f.Use), Flags: mailbox.NewFlags(flags...), Create: f.Create}
		if f.Implicit && junk {
			filing.Mailbox, filing.Use = "", mailbox.Junk
		}
		w.File = append(w.File, filing)
	}
	return w
}

// reason makes of a script's words what can stand in a reply of SMTP: one line, and in ASCII unless the client has
// asked for more (RFC 5429 §2.1): without accents, or else in words of ours.
func reason(words string, utf8 bool) string {
	if words == "" {
		return ""
	}
	words = strings.Join(strings.Fields(words), " ")
	if !utf8 {
		plain := strings.Map(func(r rune) rune {
			if r >= 0x7f {
				return -1
			}
			return r
		}, norm.NFKD.String(words))
		if words = plain; len(strings.Trim(plain, " .,;:!?-")) == 0 {
			words = "the recipient does not want this message"
		}
	}
	return words
}

// answer adds to the wishes that the sender is answered, if that may be.
func (s *Shelf) answer(ctx context.Context, v *sieve.Vacation, tree *store.Tree, d *mail.Delivery, w *mail.Wishes) error {
	u, err := s.Mail.Accounts.User(ctx, d.User)
	if err != nil {
		return err
	}
	own := func(address string) bool {
		if strings.EqualFold(address, d.Address) {
			return true
		}
		owns, err := s.Mail.Owns(ctx, u, address)
		return err == nil && owns
	}
	if v.Silence(d.Raw, d.In.From, own) != "" {
		return nil
	}
	now := s.Mail.Now().UTC().Truncate(time.Second)
	who := s.keyOf(v.Handle, d.In.From)
	data, err := tree.ReadFile(answeredFile)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if knows(parseAnswered(data, now), who) {
		return nil
	}
	if v.From != "" && !own(message.ParseAddresses(v.From)[0].Addr()) {
		v.From = "" // nobody writes in another's name (RFC 5230 §4.3)
	}
	id := make([]byte, 16)
	rand.Read(id)
	stamp := sieve.Stamp{From: s.author(u, d.Address), To: d.In.From, Host: s.Mail.Host(ctx), Now: now, ID: id}
	w.Replies = append(w.Replies, mail.Reply{To: d.In.From, Raw: v.Compose(d.Raw, stamp)})
	w.Remember = func(e *mailbox.Edit) error { return remember(e, answered{now.Add(v.Every), who}, now) }
	return nil
}

// author is the user, under the address to which the message came.
func (s *Shelf) author(u *accounts.User, address string) message.Address {
	local, domain, found := strings.Cut(address, "@")
	if list := message.ParseAddresses(address); len(list) == 1 && found {
		local, domain = list[0].Local, list[0].Domain
	}
	if domain == "" {
		domain = "localhost"
	}
	return message.Address{Name: u.DisplayName, Local: local, Domain: domain}
}
