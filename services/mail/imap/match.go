package imap

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"runtime"
	"runtime/debug"
	"sync/atomic"

	"cairn/services/mail/mailbox"
	"cairn/services/mail/message"
	"cairn/services/mail/search"

	"golang.org/x/sync/errgroup"
)

// A hit is a message that is looked at, or was found.
type hit struct {
	i int // index in the view
	m mailbox.Message
}

// number is how the client names a hit.
func (h hit) number(uid bool) uint32 {
	if uid {
		return uint32(h.m.UID)
	}
	return uint32(h.i + 1)
}

// batch is how many messages are looked at in one go.
const batch = 8 << 10

// matching returns the messages of the view that fit.
func (s *session) matching(q query) ([]hit, error) {
	if q.cost > costNothing {
		if err := s.server.searches.Acquire(s.ctx, 1); err != nil {
			return nil, err
		}
		defer s.server.searches.Release(1)
	}
	var found []hit
	for from := 0; from < s.view.count(); from += batch {
		var list []hit
		s.view.each([]indexRange{{from, min(from+batch, s.view.count())}}, func(i int, m mailbox.Message) error {
			list = append(list, hit{i, m})
			return nil
		})
		yes, err := q.fits(s, list)
		if err != nil {
			return nil, err
		}
		for i, h := range list {
			if yes[i] {
				found = append(found, h)
			}
		}
	}
	return found, nil
}

// ofText makes a query of a search in what messages say.
func ofText(q search.Query) query {
	return query{costText, func(s *session, hits []hit) ([]bool, error) {
		keys := make([]search.Key, len(hits))
		messages := make(map[search.Key]mailbox.Message, len(hits))
		for i, h := range hits {
			keys[i] = keyOf(h.m)
			messages[keys[i]] = h.m
		}
		return s.server.Index.Find(s.ctx, q, keys, func(ctx context.Context, k search.Key) ([]byte, error) {
			c, err := s.view.base.Content(ctx, messages[k])
			return c.Bytes(), err
		})
	}}
}

// keyOf names what is served of a message.
func keyOf(m mailbox.Message) (k search.Key) {
	id := m.EmailID()
	if _, err := hex.Decode(k[:], []byte(id[1:])); err != nil {
		copy(k[:], id)
	}
	return k
}

// ofHeader makes a query of a look at messages' headers.
func ofHeader(f func(h message.Header) bool) query {
	return query{costHeader, func(s *session, hits []hit) ([]bool, error) {
		yes := make([]bool, len(hits))
		return yes, s.eachHeader(hits, func(k int, h message.Header) { yes[k] = f(h) })
	}}
}

// eachHeader calls f with the headers of messages, several at a time and in no order. A message that is gone for
// good has an empty one.
func (s *session) eachHeader(hits []hit, f func(k int, h message.Header)) error {
	var next atomic.Int64
	group, ctx := errgroup.WithContext(s.ctx)
	for range min(runtime.GOMAXPROCS(0), len(hits)) {
		group.Go(func() (err error) {
			defer func() {
				if p := recover(); p != nil { // elsewhere the library does that
					err = fmt.Errorf("read headers: panic: %v\n%s", p, debug.Stack())
				}
			}()
			for {
				k := int(next.Add(1)) - 1
				if k >= len(hits) {
					return nil
				}
				c, err := s.view.base.Content(ctx, hits[k].m)
				if err != nil && !errors.Is(err, fs.ErrNotExist) {
					return err
				}
				head, _ := message.Split(c.Bytes())
				f(k, message.ParseHeader(head))
			}
		})
	}
	return group.Wait()
}
