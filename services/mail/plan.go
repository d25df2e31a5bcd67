package mail

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"

	"cairn/services/mail/mailbox"
	"cairn/services/mail/queue"
	"cairn/store"
)

// A Plan is what is to be done with a message: all of it or nothing, by one update.
type Plan struct {
	change store.Change
	boxes  map[string][]func(*mailbox.Edit) error // by user
	queue  []queue.Message
	writes map[string][]func(*store.Tx) error // by branch
	blobs  map[*byte]*store.Blob              // of bytes that are filed for several
}

// NewPlan returns an empty Plan, whose update is ch.
func NewPlan(ch store.Change) *Plan {
	return &Plan{
		change: ch,
		boxes:  map[string][]func(*mailbox.Edit) error{},
		writes: map[string][]func(*store.Tx) error{},
		blobs:  map[*byte]*store.Blob{},
	}
}

// Edit has a user's mail changed. f may run several times.
func (p *Plan) Edit(user string, f func(*mailbox.Edit) error) {
	p.boxes[user] = append(p.boxes[user], f)
}

// Send has a message carried away.
func (p *Plan) Send(m queue.Message) { p.queue = append(p.queue, m) }

// Write has another branch changed. f may run several times.
func (p *Plan) Write(branch string, f func(*store.Tx) error) {
	p.writes[branch] = append(p.writes[branch], f)
}

// blob returns the bytes as something that is stored once, however often it is filed.
func (p *Plan) blob(raw []byte) *store.Blob {
	if len(raw) == 0 {
		return store.NewBlob(raw)
	}
	b, ok := p.blobs[&raw[0]]
	if !ok || len(b.Bytes()) != len(raw) {
		b = store.NewBlob(raw)
		p.blobs[&raw[0]] = b
	}
	return b
}

// Carry carries a plan out. When it returns nil all of it is durable; an error is a *Refusal,
// and nothing has happened.
func (s *Service) Carry(ctx context.Context, p *Plan) error {
	branches := slices.Collect(maps.Keys(p.writes))
	for user := range p.boxes {
		branches = append(branches, mailbox.BranchName(user))
	}
	if len(p.queue) > 0 {
		branches = append(branches, queue.Branch)
	}
	if len(branches) == 0 {
		return nil
	}
	slices.Sort(branches)
	err := s.Repo.Update(ctx, p.change, slices.Compact(branches), func(txs map[string]*store.Tx) error { return s.apply(p, txs) })
	var full *mailbox.QuotaError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &full):
		return &Refusal{Code: 452, Enhanced: [3]int{4, 2, 2}, Text: "a recipient's mailbox is full: try again later", Err: err}
	case errors.Is(err, fs.ErrInvalid):
		return &Refusal{Code: 550, Enhanced: [3]int{5, 1, 3}, Text: "a recipient's address is not one", Err: err}
	}
	return AsRefusal(fmt.Errorf("deliver: %w", err))
}

func (s *Service) apply(p *Plan, txs map[string]*store.Tx) error {
	for user, edits := range p.boxes {
		err := s.Boxes.Edit(txs[mailbox.BranchName(user)], user, func(e *mailbox.Edit) error {
			for _, f := range edits {
				if err := f(e); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return fmt.Errorf("mail of %s: %w", user, err)
		}
	}
	for _, m := range p.queue {
		if _, err := s.Queue.Put(txs[queue.Branch], m); err != nil {
			return fmt.Errorf("queue: %w", err)
		}
	}
	for branch, writes := range p.writes {
		for _, f := range writes {
			if err := f(txs[branch]); err != nil {
				return fmt.Errorf("branch %s: %w", branch, err)
			}
		}
	}
	return nil
}
