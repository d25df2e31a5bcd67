package transfer

import (
	"context"
	"iter"

	"cairn/services/mail/mailbox"
)

// Export yields the messages of mailboxes as they are served. Without names it is all mailboxes.
func Export(ctx context.Context, boxes *mailbox.Boxes, user string, names ...string) iter.Seq2[Message, error] {
	return func(yield func(Message, error) bool) {
		snap, err := boxes.Box(user).Snapshot(ctx)
		if err != nil {
			yield(Message{}, err)
			return
		}
		if len(names) == 0 {
			for _, info := range snap.Mailboxes() {
				names = append(names, info.Name)
			}
		}
		for _, name := range names {
			box, err := snap.Mailbox(name)
			if err != nil {
				yield(Message{}, err)
				return
			}
			for _, m := range box.All() {
				content, err := box.Content(ctx, m)
				if !yield(Message{Mailbox: box.Name, Raw: content.Bytes(), Flags: m.Flags, Date: m.Internal()}, err) || err != nil {
					return
				}
			}
		}
	}
}
