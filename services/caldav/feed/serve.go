package feed

import (
	"context"
	"io"
	"iter"
	"mime"
	"net/http"
	"strings"

	"cairn/services/caldav/shelf"
)

// chunk is how many bytes are computed before they are sent.
const chunk = 64 << 10

// serve answers with a collection.
func (s *Service) serve(w http.ResponseWriter, r *http.Request, c *shelf.Collection, public bool) error {
	etag := `"` + c.CTag() + `"`
	h := w.Header()
	if public {
		etag = `"` + c.CTag() + `-public"`
		h.Set("Access-Control-Allow-Origin", "*")
		h.Set("Cache-Control", "public, max-age=300")
	} else {
		h.Set("Cache-Control", "private, no-cache")
		h.Set("Referrer-Policy", "no-referrer")
	}
	h.Set("ETag", etag)
	h.Set("X-Content-Type-Options", "nosniff")
	if matches(r.Header.Values("If-None-Match"), etag) {
		w.WriteHeader(http.StatusNotModified)
		return nil
	}
	kind := "text/calendar"
	if c.Kind == shelf.Contacts {
		kind = "text/vcard"
	}
	h.Set("Content-Type", kind+"; charset=utf-8")
	h.Set("Content-Disposition", mime.FormatMediaType("inline", map[string]string{"filename": c.Name + exts[c.Kind]}))
	if r.Method == http.MethodHead {
		return nil
	}
	pieces := calendarPieces(c, public)
	if c.Kind == shelf.Contacts {
		pieces = cardPieces(c)
	}
	return s.send(r.Context(), w, pieces)
}

// matches says whether a list of entity tags has this one (RFC 9110 §13.1.2).
func matches(lists []string, etag string) bool {
	for _, list := range lists {
		for tag := range strings.SplitSeq(list, ",") {
			if tag = strings.TrimPrefix(strings.TrimSpace(tag), "W/"); tag == etag || tag == "*" {
				return true
			}
		}
	}
	return false
}

// send writes a file that comes in pieces. At most atWork are computed at a time, and
// none of them while it waits for its reader. After an error in the middle the
// connection is broken off, so that nobody takes the half for the whole.
func (s *Service) send(ctx context.Context, w io.Writer, pieces iter.Seq2[[]byte, error]) error {
	if err := s.turn(ctx); err != nil {
		return err
	}
	working := true
	defer func() {
		if working {
			<-s.turns
		}
	}()
	var buf []byte
	begun := false
	for piece, err := range pieces {
		if err != nil && begun {
			s.log().Error("feed", "err", err)
			panic(http.ErrAbortHandler)
		}
		if err != nil {
			return err
		}
		if buf = append(buf, piece...); len(buf) < chunk {
			continue
		}
		<-s.turns
		working, begun = false, true
		if _, err := w.Write(buf); err != nil {
			return nil // nobody is there any more
		}
		if err := s.turn(ctx); err != nil {
			return nil
		}
		working, buf = true, buf[:0]
	}
	<-s.turns
	working = false
	w.Write(buf)
	return nil
}

// turn waits until it may work.
func (s *Service) turn(ctx context.Context) error {
	s.once.Do(func() { s.turns = make(chan struct{}, atWork) })
	select {
	case s.turns <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
