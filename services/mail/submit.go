package mail

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strings"

	"cairn/services/accounts"
	"cairn/services/mail/mailbox"
	"cairn/services/mail/message"
	"cairn/store"
)

// NewID returns a name for an Incoming, of 16 letters and digits.
func NewID() string { return strings.ToLower(rand.Text()[:16]) }

// Owns reports whether mail for an address comes to a user, who may then send in its name.
func (s *Service) Owns(ctx context.Context, u *accounts.User, address string) (bool, error) {
	route, err := s.Route(ctx, address)
	var unknown *UnknownError
	var elsewhere *NotLocalError
	switch {
	case errors.As(err, &unknown), errors.As(err, &elsewhere):
		return false, nil
	case err != nil:
		return false, err
	}
	return slices.ContainsFunc(route.Users, func(t Target) bool { return t.User == u.Name }), nil
}

// LoginName is what login.Login wants: the user to whom alone mail for an address comes, or
// else the address.
func (s *Service) LoginName(ctx context.Context, address string) string {
	route, err := s.Route(ctx, address)
	if err != nil || len(route.Users) != 1 || len(route.Forward)+len(route.sinks) > 0 {
		return address
	}
	return route.Users[0].User
}

// MaySend says whether a user may send from an address; if not, it is a *Refusal. Everybody may
// send from the null one, as programs do that confirm that a message was read.
func (s *Service) MaySend(ctx context.Context, u *accounts.User, address string) error {
	if address == "" {
		return nil
	}
	ok, err := s.Owns(ctx, u, address)
	if err != nil {
		return AsRefusal(err)
	}
	if !ok {
		return refuse(550, 7, 1, fmt.Sprintf("%s is not an address of %s here: send from one that is", address, u.Name))
	}
	return nil
}

// Admit says whether a message of size bytes (0: not known) may be for an address: one of
// this house, or any when a user of ours submits it. The answer is a *Refusal.
func (s *Service) Admit(ctx context.Context, address string, size int64, by *accounts.User) error {
	if by == nil && !strings.Contains(address, "@") && !strings.EqualFold(address, postmaster) {
		return refuse(550, 1, 3, "an address has a domain: "+address+"@…")
	}
	route, err := s.Route(ctx, address)
	var elsewhere *NotLocalError
	if by != nil && asElsewhere(err, &elsewhere) {
		return nil
	}
	if err != nil {
		return AsRefusal(err)
	}
	for _, t := range route.Users {
		if err := s.room(ctx, t.User, size); err != nil {
			return AsRefusal(err)
		}
		if err := s.sealable(ctx, t.User, size); err != nil {
			return AsRefusal(err)
		}
	}
	return nil
}

// maxSealable is the largest message that is small enough when it is sealed.
const maxSealable = store.MaxObject / 10 * 7

var errSealable = refuse(552, 3, 4, "the message is larger than what can be sealed for the recipient")

// sealable says that what is for a user could not be sealed, before others are to get the same message.
func (s *Service) sealable(ctx context.Context, user string, size int64) error {
	if s.Seal == nil {
		return nil
	}
	sealed, err := s.Seal(ctx, user, []byte("Subject: \r\n\r\n"))
	switch {
	case err != nil:
		return fmt.Errorf("seal for %s: %w", user, err)
	case sealed != nil && size > maxSealable:
		return errSealable
	}
	return nil
}

// room refuses what a user has no room for.
func (s *Service) room(ctx context.Context, user string, size int64) error {
	conf, err := s.Config.Mail(ctx)
	if err != nil {
		return err
	}
	quota := conf.QuotaOf(user)
	if quota == 0 {
		return nil
	}
	if size > quota {
		return refuse(552, 2, 2, "the message is larger than all the room that the recipient has")
	}
	snapshot, err := s.Boxes.Box(user).Snapshot(ctx)
	if err != nil {
		return err
	}
	var full *mailbox.QuotaError
	if err := snapshot.Room(max(size, 1)); errors.As(err, &full) {
		return &Refusal{Code: 452, Enhanced: [3]int{4, 2, 2}, Text: "the recipient's mailbox is full: try again later", Err: err}
	}
	return nil
}

// submit makes a message of a user's mail program fit to be sent (RFC 6409 §8): it is from
// this user, has a Date and a Message-ID, says nothing of Bcc, and is signed.
func (t *task) submit(ctx context.Context) error {
	if err := t.author(ctx); err != nil {
		return err
	}
	t.raw = t.withoutBcc()
	var added []byte
	if !t.header.Has("Date") {
		added = message.AppendFolded(added, "Date", message.FormatDate(t.Now()))
	}
	if !t.header.Has("Message-ID") {
		random := make([]byte, 16)
		rand.Read(random)
		added = message.AppendFolded(added, "Message-ID", "<"+message.NewMessageID(t.Now(), random, t.Host(ctx))+">")
	}
	if t.Autocrypt != nil && !t.header.Has("Autocrypt") {
		field, err := t.Autocrypt(ctx, t.in.User, firstFrom(t.raw))
		if err != nil {
			return err
		}
		added = append(added, field...)
	}
	if len(added) > 0 {
		t.raw = append(added, t.raw...)
	}
	t.header = message.ParseHeader(headOf(t.raw))
	return t.sign(ctx)
}

// author makes sure that From and Sender are the user's.
func (t *task) author(ctx context.Context) error {
	from := t.header.Addresses("From")
	if len(from) == 0 {
		return refuse(550, 6, 0, "the message does not say who it is from: it needs a From field")
	}
	for _, value := range append(t.header.All("From"), t.header.All("Sender")...) {
		if !unambiguous(value) {
			return refuse(550, 6, 0, "what From or Sender has can be read in more than one way")
		}
	}
	for _, a := range append(from, t.header.Addresses("Sender")...) {
		address := a.Addr()
		if address == "" {
			return refuse(550, 6, 0, "what From or Sender has is not an address")
		}
		if err := t.MaySend(ctx, t.in.User, address); err != nil {
			return err
		}
	}
	return nil
}

// unambiguous reports whether nobody can find other addresses in a field than we do: everything that was opened is closed, and
// there are no more brackets than addresses.
func unambiguous(value string) bool {
	brackets, depth, quoted := 0, 0, false
	for i := 0; i < len(value); i++ {
		switch c := value[i]; {
		case c == '\\' && (quoted || depth > 0):
			i++
		case c == '"' && depth == 0:
			quoted = !quoted
		case quoted:
		case c == '(':
			depth++
		case c == ')':
			depth = max(depth-1, 0)
		case c == '<' && depth == 0:
			brackets++
		}
	}
	return depth == 0 && !quoted && brackets <= len(message.ParseAddresses(value))
}

// withoutBcc returns the message less the fields that name those whom the others are not to know.
func (t *task) withoutBcc() []byte {
	raw, from := []byte(nil), 0
	for f := range t.header.Fields() {
		if strings.EqualFold(f.Name, "Bcc") || strings.EqualFold(f.Name, "Resent-Bcc") {
			raw = append(raw, t.in.Raw[from:f.Offset]...)
			from = f.Offset + len(f.Raw)
		}
	}
	if from == 0 {
		return t.in.Raw
	}
	return append(raw, t.in.Raw[from:]...)
}

// sign puts the signatures of the domain in From in front of the message.
func (t *task) sign(ctx context.Context) error {
	if t.Signer == nil {
		return nil
	}
	_, domain, err := SplitAddress(firstFrom(t.raw))
	if err != nil || domain == "" {
		return nil
	}
	signer, err := t.Signer(ctx, domain)
	if err != nil {
		return fmt.Errorf("sign for %s: %w", domain, err)
	}
	if signer == nil {
		return nil
	}
	fields, err := signer.Sign(t.raw)
	if err != nil {
		return fmt.Errorf("sign for %s: %w", domain, err)
	}
	t.raw = append(fields, t.raw...)
	return nil
}

// firstFrom is the address in From, "" when there is none.
func firstFrom(raw []byte) string {
	for _, a := range message.ParseHeader(headOf(raw)).Addresses("From") {
		return a.Addr()
	}
	return ""
}
