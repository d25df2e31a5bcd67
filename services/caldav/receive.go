package caldav

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"slices"
	"strings"

	"cairn/services/accounts"
	"cairn/services/caldav/ical"
	"cairn/services/caldav/sched"
	"cairn/services/caldav/shelf"
	"cairn/store"
	"cairn/store/object"
)

// Receive takes in an invitation, a cancellation or an answer that came to a person by mail (iMIP,
// RFC 6047): the counterpart of Inviter. data is the calendar in it, from the address that the mail has been
// proved to come from. When it returns nil the person's calendar is up to date, and their
// inbox tells their programs what has happened; the same message again changes nothing. What is
// not understood, or not the sender's to say, is a *sched.Refusal or an *ical.Error and changes nothing.
func (s *Service) Receive(ctx context.Context, to *accounts.User, from string, data []byte) error {
	c, err := ical.Parse(data)
	if err != nil {
		return err
	}
	msg, err := sched.Incoming(c, from, ownBy(to))
	if err != nil {
		return err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, "/", nil) // as if they had posted it
	if err != nil {
		return err
	}
	x := &exchange{Service: s, r: r, user: to}
	if msg.Method != sched.Reply {
		if u, err := x.local(msg.From); err != nil || u != nil {
			return err // who has an account here invites through the calendar
		}
	}
	ch := store.Change{
		Author:  object.Signature{Name: from, Email: from},
		Message: strings.ToLower(msg.Method) + " by mail\n",
	}
	for owners := []string{to.Name}; ; {
		var m *meeting
		err := s.Shelf.Update(ctx, ch, owners, func(edits map[string]*shelf.Edit) error {
			m = &meeting{x: x, edits: edits, needs: map[string]bool{}}
			if err := m.receive(to, *msg); err != nil {
				return err
			}
			if len(m.needs) > 0 {
				return errMorePeople
			}
			return nil
		})
		switch {
		case err == nil:
			m.send()
			return nil
		case !errors.Is(err, errMorePeople):
			return err
		}
		owners = append(owners, slices.Sorted(maps.Keys(m.needs))...)
	}
}
