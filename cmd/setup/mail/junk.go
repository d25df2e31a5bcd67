package mail

import (
	"context"
	"errors"
	"slices"

	"cairn/services/mail/junk"
	"cairn/services/mail/mailbox"
)

// junkBytes is what the junk filter takes of the memory for what people have taught it.
const junkBytes = 16 << 20

// score says how much a message looks like what its user takes for junk.
func (m *Mail) score(ctx context.Context, user string, trace, raw []byte) (float64, error) {
	if sealed, err := m.isSealed(ctx, user); err != nil || sealed {
		return junk.Unsure, err
	}
	snapshot, err := m.Boxes.Box(user).Snapshot(ctx)
	if err != nil {
		return junk.Unsure, err
	}
	return m.junk.Score(snapshot, junk.Message{Prefix: trace, Raw: raw})
}

// isSealed reports whether nothing readable about a user's mail may be kept.
func (m *Mail) isSealed(ctx context.Context, user string) (bool, error) {
	settings, err := m.Config.Mail(ctx)
	if err != nil {
		return false, err
	}
	return slices.Contains(settings.Sealed, user), nil
}

// Bounds of what one update teaches: messages that were moved, and wanted ones beside them.
const (
	mostMoved  = 200
	mostWanted = 20
)

// teach shows the filter what somebody has moved to the junk, or out of it, in the same update. Since people
// seldom take anything out of the junk, it is shown a few messages beside it that they have read and kept.
func (m *Mail) teach(ctx context.Context, e *mailbox.Edit, from string, moved []mailbox.Message, spam bool) error {
	if sealed, err := m.isSealed(ctx, e.User()); err != nil || sealed {
		return err
	}
	lessons, err := m.junk.Teach(e)
	if err != nil {
		return err
	}
	for _, msg := range moved[:min(len(moved), mostMoved)] {
		if err := learn(ctx, lessons, e, from, msg, spam); err != nil {
			return err
		}
	}
	if spam {
		if err := m.kept(ctx, lessons, e, moved); err != nil {
			return err
		}
	}
	return lessons.Save()
}

// kept shows the filter messages of the inbox that were read and are no junk.
func (m *Mail) kept(ctx context.Context, lessons *junk.Lessons, e *mailbox.Edit, but []mailbox.Message) error {
	const inbox = "INBOX"
	snapshot, err := m.Boxes.Box(e.User()).Snapshot(ctx)
	if err != nil {
		return err
	}
	box, err := snapshot.Mailbox(inbox)
	if err != nil {
		return err
	}
	shown := 0
	for i := box.Len() - 1; i >= 0 && i >= box.Len()-10*mostWanted && shown < mostWanted; i-- {
		msg := box.At(i)
		if !msg.Flags.Has(mailbox.Seen) || msg.Flags.Has(mailbox.Deleted) || slices.ContainsFunc(but, func(b mailbox.Message) bool { return b.Blob == msg.Blob }) {
			continue
		}
		err := learn(ctx, lessons, e, inbox, msg, false)
		if err != nil && !errors.Is(err, mailbox.ErrNoMessage) { // moved by this very update
			return err
		}
		shown++
	}
	return nil
}

func learn(ctx context.Context, lessons *junk.Lessons, e *mailbox.Edit, box string, msg mailbox.Message, spam bool) error {
	content, err := e.Content(ctx, box, msg.UID)
	if err != nil {
		return err
	}
	lessons.Learn(junk.Message{Prefix: content.Trace, Raw: content.Raw}, spam)
	return nil
}
