package transfer

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"

	"cairn/services/mail/mailbox"
	"cairn/store"
)

// A Result says what an import has done.
type Result struct {
	New   int   // messages that were brought in
	Known int   // messages that were there already
	Bytes int64 // of the new ones
	Bad   []error
}

// Bounds of one update: how many messages and bytes it brings in at once.
const (
	batchMessages = 500
	batchBytes    = 8 << 20
)

// maxBad is how many messages may be unreadable before the import gives up.
const maxBad = 1000

// Import brings messages into a user's mailboxes, which are made where they are not there. tell hears
// how far it is, after each update; it may be nil. What cannot be read of a source is in Result.Bad, and the
// rest goes on; an error of the store ends it, and what was brought in until then stays.
func Import(ctx context.Context, boxes *mailbox.Boxes, ch store.Change, user string, source iter.Seq2[Message, error], tell func(Result)) (Result, error) {
	in := &importer{ctx: ctx, boxes: boxes, change: ch, user: user, here: map[string]*inventory{}}
	for m, err := range source {
		if err := ctx.Err(); err != nil {
			return in.result, errors.Join(err, in.flush())
		}
		if err != nil {
			in.result.Bad = append(in.result.Bad, err)
			if len(in.result.Bad) > maxBad {
				return in.result, errors.Join(in.flush(), errors.New("too much of it cannot be read: is it what you think it is?"))
			}
			continue
		}
		if err := in.take(m); err != nil {
			return in.result, err
		}
		if len(in.batch) >= batchMessages || in.bytes >= batchBytes {
			if err := in.flush(); err != nil {
				return in.result, err
			}
			if tell != nil {
				tell(in.result)
			}
		}
	}
	err := in.flush()
	if tell != nil {
		tell(in.result)
	}
	return in.result, err
}

// An inventory is what of a mailbox was there before, by content: how often.
type inventory map[store.Hash]int32

type importer struct {
	ctx    context.Context
	boxes  *mailbox.Boxes
	change store.Change
	user   string
	here   map[string]*inventory
	batch  []taken
	bytes  int64
	result Result
}

// A taken message waits for the next update.
type taken struct {
	Message
	blob *store.Blob // nil: it is there already, and only its mark counts
}

// take puts a message into the batch unless it is there.
func (in *importer) take(m Message) error {
	name, err := mailbox.Canonical(m.Mailbox)
	if err != nil {
		in.result.Bad = append(in.result.Bad, err)
		return nil
	}
	m.Mailbox = name
	here, err := in.inventory(name)
	if err != nil {
		return err
	}
	blob := store.NewBlob(m.Raw)
	if (*here)[blob.Hash()] > 0 {
		(*here)[blob.Hash()]--
		in.result.Known++
		if m.mark != nil {
			m.Raw = nil
			in.batch = append(in.batch, taken{m, nil})
		}
		return nil
	}
	in.batch = append(in.batch, taken{m, blob})
	in.bytes += int64(len(m.Raw))
	return nil
}

// inventory is what a mailbox held at first.
func (in *importer) inventory(name string) (*inventory, error) {
	if here := in.here[name]; here != nil {
		return here, nil
	}
	here := inventory{}
	in.here[name] = &here
	snap, err := in.boxes.Box(in.user).Snapshot(in.ctx)
	if err != nil {
		return nil, err
	}
	box, err := snap.Mailbox(name)
	if errors.Is(err, mailbox.ErrNoMailbox) {
		return &here, nil
	}
	if err != nil {
		return nil, err
	}
	for _, m := range box.All() {
		here[m.Blob]++
	}
	return &here, nil
}

// flush brings the batch in, in one update.
func (in *importer) flush() error {
	if len(in.batch) == 0 {
		return nil
	}
	err := in.boxes.Update(context.WithoutCancel(in.ctx), in.change, in.user, func(e *mailbox.Edit) error {
		for _, t := range in.batch {
			if err := t.put(e); err != nil {
				return fmt.Errorf("mailbox %s: %w", t.Mailbox, err)
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, t := range in.batch {
		if t.blob != nil {
			in.result.New++
			in.result.Bytes += int64(len(t.Raw))
		}
	}
	in.batch, in.bytes = in.batch[:0], 0
	return nil
}

// put puts one message where it belongs, and notes that it is there.
func (t *taken) put(e *mailbox.Edit) error {
	if t.blob != nil {
		n := mailbox.New{Raw: t.blob, Flags: t.Flags, Internal: t.Date}
		_, err := e.Append(t.Mailbox, n)
		if errors.Is(err, mailbox.ErrNoMailbox) {
			if err = e.Create(t.Mailbox, ""); err == nil || errors.Is(err, mailbox.ErrExists) {
				err = e.Subscribe(t.Mailbox)
			}
			if err == nil {
				_, err = e.Append(t.Mailbox, n)
			}
		}
		if err != nil {
			return err
		}
	}
	if t.mark == nil {
		return nil
	}
	old, err := e.ReadFile(t.mark.path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if text := t.mark.text(); string(old) != text {
		return e.PutFile(t.mark.path, []byte(text))
	}
	return nil
}
