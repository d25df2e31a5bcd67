package imap

import (
	"slices"
	"strings"

	"cairn/services/mail/mailbox"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapserver"
)

// update changes the mail of the one who has logged in.
func (s *session) update(message string, f func(e *mailbox.Edit) error) error {
	if err := s.server.Boxes.Update(s.ctx, s.change(message), s.user.Name, f); err != nil {
		return s.reply(err)
	}
	return nil
}

// Create implements imapserver.Session (RFC 9051 §6.3.4, RFC 6154).
func (s *session) Create(name string, options *imap.CreateOptions) error {
	name = strings.TrimSuffix(name, string(delimiter)) // "there will be mailboxes below it"
	use, err := specialUse(options.SpecialUse)
	if err != nil {
		return err
	}
	var info mailbox.Info
	err = s.update("Mailbox "+name+" made", func(e *mailbox.Edit) (err error) {
		if other, err := e.ByUse(use); use != "" && err == nil {
			return no("USEATTR", "The mailbox "+other.Name+" is used for that already")
		}
		if err = e.Create(name, use); err == nil {
			info, err = e.Info(name)
		}
		return err
	})
	if err == nil {
		s.front.withCode("MAILBOXID (" + info.ID() + ")")
	}
	return err
}

// specialUse is the one that CREATE asks for, or "".
func specialUse(list []imap.MailboxAttr) (mailbox.SpecialUse, error) {
	if len(list) == 0 {
		return "", nil
	}
	use := mailbox.SpecialUse(list[0])
	known := []mailbox.SpecialUse{mailbox.Drafts, mailbox.Sent, mailbox.Archive, mailbox.Junk, mailbox.Trash}
	if len(list) > 1 || !slices.Contains(known, use) {
		return "", no("USEATTR", "A mailbox is for Archive, Drafts, Junk, Sent or Trash, and for one of them")
	}
	return use, nil
}

// Delete implements imapserver.Session.
func (s *session) Delete(name string) error {
	err := s.update("Mailbox "+name+" deleted", func(e *mailbox.Edit) error { return e.Delete(name) })
	if err == nil && s.view != nil && s.view.name == name {
		s.view = nil
	}
	return err
}

// Rename implements imapserver.Session.
func (s *session) Rename(from, to string, _ *imap.RenameOptions) error {
	return s.update("Mailbox "+from+" renamed to "+to, func(e *mailbox.Edit) error { return e.Rename(from, to) })
}

// Subscribe implements imapserver.Session.
func (s *session) Subscribe(name string) error {
	return s.update("Subscribed to "+name, func(e *mailbox.Edit) error { return e.Subscribe(name) })
}

// Unsubscribe implements imapserver.Session.
func (s *session) Unsubscribe(name string) error {
	return s.update("Unsubscribed from "+name, func(e *mailbox.Edit) error { return e.Unsubscribe(name) })
}

// Status implements imapserver.Session.
func (s *session) Status(name string, options *imap.StatusOptions) (*imap.StatusData, error) {
	snap, err := s.box.Snapshot(s.ctx)
	if err != nil {
		return nil, s.reply(err)
	}
	info, err := snap.Info(name)
	if err == nil && !info.Selectable {
		err = mailbox.ErrNoMailbox
	}
	if err != nil {
		return nil, s.reply(err)
	}
	s.tellStatus(info)
	return s.status(snap, info, options)
}

// status is all that STATUS can be asked for; the library writes what was.
func (s *session) status(snap *mailbox.Snapshot, info mailbox.Info, options *imap.StatusOptions) (*imap.StatusData, error) {
	messages, unseen, deleted, recent, limit := uint32(info.Messages), uint32(info.Unseen), uint32(info.Deleted), uint32(0), s.AppendLimit()
	size, deletedSize := info.Bytes, int64(0)
	if options.DeletedStorage {
		m, err := snap.Mailbox(info.Name)
		if err != nil {
			return nil, s.reply(err)
		}
		for _, msg := range m.From(0) {
			if msg.Flags.Has(mailbox.Deleted) {
				deletedSize += int64(msg.Size)
			}
		}
	}
	return &imap.StatusData{
		Mailbox:     info.Name,
		NumMessages: &messages,
		NumRecent:   &recent,
		UIDNext:     imap.UID(info.UIDNext),
		UIDValidity: info.UIDValidity,
		NumUnseen:   &unseen,
		NumDeleted:  &deleted,
		Size:        &size,
		AppendLimit: &limit,

		DeletedStorage: &deletedSize,
	}, nil
}

// List implements imapserver.Session (RFC 9051 §6.3.9, RFC 5258, 5819, 6154).
func (s *session) List(w *imapserver.ListWriter, ref string, patterns []string, options *imap.ListOptions) error {
	if len(patterns) == 0 { // what stands between the levels is asked for
		return w.WriteList(&imap.ListData{Attrs: []imap.MailboxAttr{imap.MailboxAttrNoSelect}, Delim: delimiter})
	}
	for i, p := range patterns {
		patterns[i] = simplify(ref + p)
	}
	snap, err := s.box.Snapshot(s.ctx)
	if err != nil {
		return s.reply(err)
	}
	list, below := s.candidates(snap, options)
	for _, info := range list {
		if !matches(info.Name, patterns) {
			continue
		}
		data := s.listData(info, options)
		if slices.ContainsFunc(below[info.Name], func(name string) bool { return !matches(name, patterns) }) {
			data.ChildInfo = &imap.ListDataChildInfo{Subscribed: true}
			if s.front.cmd.name == "LSUB" && !info.Subscribed && info.Selectable {
				data.Attrs = append(data.Attrs, imap.MailboxAttrNoSelect)
			}
		} else if options.SelectSubscribed && !info.Subscribed {
			continue
		}
		if options.ReturnStatus != nil && info.Selectable {
			s.tellStatus(info)
			if data.Status, err = s.status(snap, info, options.ReturnStatus); err != nil {
				return err
			}
		}
		if err := w.WriteList(data); err != nil {
			return err
		}
	}
	return nil
}

// candidates are the mailboxes that LIST chooses from: all, or those subscribed to, which need
// not exist, or those of a special use. With RECURSIVEMATCH, and for LSUB, those above
// subscribed ones are among them; below says for which of these they stand.
func (s *session) candidates(snap *mailbox.Snapshot, options *imap.ListOptions) (list []mailbox.Info, below map[string][]string) {
	there := map[string]bool{}
	for _, info := range snap.Mailboxes() {
		there[info.Name] = true
		if !options.SelectSpecialUse || info.Use != "" {
			list = append(list, info)
		}
	}
	if !options.SelectSubscribed || options.SelectSpecialUse {
		return list, nil
	}
	below = map[string][]string{}
	add := func(name string, subscribed bool) {
		if !there[name] {
			there[name] = true
			list = append(list, mailbox.Info{Name: name, Subscribed: subscribed})
		}
	}
	for _, name := range snap.Subscriptions() {
		add(name, true)
		if !options.SelectRecursiveMatch && s.front.cmd.name != "LSUB" {
			continue
		}
		for i := range name {
			if name[i] == delimiter {
				below[name[:i]] = append(below[name[:i]], name)
				add(name[:i], false)
			}
		}
	}
	return list, below
}

func (s *session) listData(info mailbox.Info, options *imap.ListOptions) *imap.ListData {
	data := &imap.ListData{Mailbox: info.Name, Delim: delimiter}
	add := func(a imap.MailboxAttr, yes bool) {
		if yes {
			data.Attrs = append(data.Attrs, a)
		}
	}
	exists := info.Selectable || info.Children
	add(imap.MailboxAttrNonExistent, !exists)
	add(imap.MailboxAttrNoSelect, !info.Selectable && exists)
	add(imap.MailboxAttrHasChildren, info.Children)
	add(imap.MailboxAttrHasNoChildren, exists && !info.Children)
	add(imap.MailboxAttrSubscribed, info.Subscribed && (options.ReturnSubscribed || options.SelectSubscribed))
	add(imap.MailboxAttr(info.Use), info.Use != "")
	return data
}

// matches says whether a name fits one of the patterns of LIST.
func matches(name string, patterns []string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool { return matchPattern(name, p) })
}

// simplify makes one wildcard of those that stand beside each other.
func simplify(pattern string) string {
	b := make([]byte, 0, len(pattern))
	for i := range len(pattern) {
		c := pattern[i]
		if k := len(b) - 1; k >= 0 && (c == '*' || c == '%') && (b[k] == '*' || b[k] == '%') {
			if c == '*' {
				b[k] = c
			}
			continue
		}
		b = append(b, c)
	}
	return string(b)
}

// matchPattern is LIST's: "*" fits anything and "%" anything within one level. It takes
// time in proportion to the square of the name, whatever the simple pattern.
func matchPattern(name, pattern string) bool {
	if len(pattern) > 2*len(name)+1 {
		return false // it has more letters than the name
	}
	fits := make([]bool, len(name)+1) // fits[i]: what was seen of the pattern fits name[:i]
	fits[0] = true
	for k := range len(pattern) {
		switch c := pattern[k]; c {
		case '*', '%':
			for i := 1; i <= len(name); i++ {
				fits[i] = fits[i] || fits[i-1] && (c == '*' || name[i-1] != delimiter)
			}
		default:
			for i := len(name); i > 0; i-- {
				fits[i] = fits[i-1] && (name[i-1] == c || inbox(name) && i <= 5 && name[i-1] == c&^0x20)
			}
			fits[0] = false
		}
	}
	return fits[len(name)]
}

// inbox says whether a name begins with INBOX, which may be written in any case.
func inbox(name string) bool {
	return name == mailbox.Inbox || strings.HasPrefix(name, mailbox.Inbox+"/")
}
