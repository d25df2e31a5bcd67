package feed

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"time"

	"cairn/services/caldav/ical"
	"cairn/services/caldav/line"
	"cairn/services/caldav/shelf"
)

// maxObjects is how many objects a calendar that is followed may have.
const maxObjects = 20000

// bring makes a calendar what was fetched: what is new is put, what has changed
// replaced, what is gone removed, and what is the same stays byte for byte. It
// refreshes got.every and makes no commit if nothing has changed.
func (f *Follower) bring(ctx context.Context, k key, url string, got *fetched) error {
	if got.same {
		return nil
	}
	f.taking.Lock()
	defer f.taking.Unlock()
	objects, err := f.split(got.data)
	if err != nil {
		return err
	}
	head := headOf(got.data)
	got.every = wish(head)
	return f.update(ctx, k, url, "The calendar "+k.name+" as it is elsewhere", func(e *shelf.Edit, c *shelf.Collection) error {
		changed, err := replace(e, c, objects)
		if err != nil {
			return err
		}
		p := c.Props().Clone()
		first := p.Source.Changed.IsZero()
		if !changed && !first {
			return nil
		}
		p.Source.ETag, p.Source.Modified, p.Source.Changed = got.etag, got.modified, f.Now().UTC().Truncate(time.Second)
		if first {
			dress(p, head)
		}
		return e.SetProps(c.Path(), p)
	})
}

// headOf reads what a calendar says of itself, before its first object.
func headOf(data []byte) *line.Component {
	i := bytes.Index(data, []byte("BEGIN:VCALENDAR"))
	begin := i + len("BEGIN:VCALENDAR")
	if j := bytes.Index(data[begin:], []byte("\nBEGIN:")); j >= 0 {
		data = append(slices.Clip(bytes.TrimRight(data[i:begin+j], "\r")), "\r\nEND:VCALENDAR"...)
	}
	if roots, err := line.Parse(data); err == nil && len(roots) > 0 {
		return roots[0]
	}
	return &line.Component{}
}

// split takes a calendar apart, by the names that its objects get.
func (f *Follower) split(data []byte) (map[string]*shelf.Object, error) {
	objects := map[string]*shelf.Object{}
	for c, err := range ical.Split(data) {
		if c == nil {
			return nil, &remoteError{"it cannot be read as a calendar: " + err.Error(), nil}
		}
		if err != nil {
			continue // one that no client could show
		}
		if len(objects) == maxObjects {
			return nil, &remoteError{fmt.Sprintf("it has more than %d entries", maxObjects), nil}
		}
		o, err := f.Shelf.Parse(shelf.Calendars, c.Encode())
		if err != nil {
			continue
		}
		o.Calendar = nil // thousands of them would take much memory
		if name := nameOf(o.UID); objects[name] == nil {
			objects[name] = o
		}
	}
	return objects, nil
}

// nameOf is what the resource of a UID is called: by it, where that makes a name.
func nameOf(uid string) string {
	plain := uid != "" && len(uid) <= 100 && uid[0] != '.' && !strings.ContainsFunc(uid, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-_.@", r))
	})
	if plain {
		return uid + ".ics"
	}
	sum := sha256.Sum256([]byte(uid))
	return hex.EncodeToString(sum[:16]) + ".ics"
}

// replace makes objects the content of a calendar and reports whether that made a
// difference.
func replace(e *shelf.Edit, c *shelf.Collection, objects map[string]*shelf.Object) (changed bool, err error) {
	at := c.Path()
	var gone []string
	for r, err := range c.Resources() {
		if err != nil {
			return false, err
		}
		if objects[r.Name] == nil {
			gone = append(gone, r.Name)
		}
	}
	for _, at.Name = range gone { // first: what comes may have the UID of something that somebody has renamed
		if err := e.Remove(at); err != nil {
			return false, err
		}
	}
	names := make([]string, 0, len(objects))
	for name := range objects {
		names = append(names, name)
	}
	slices.Sort(names)
	changed = len(gone) > 0
	for _, at.Name = range names {
		same, err := unchanged(e, at, objects[at.Name])
		if err == nil && !same {
			changed = true
			_, err = e.Put(at, objects[at.Name])
		}
		if err != nil {
			return false, err
		}
	}
	return changed, nil
}

// unchanged says whether what is there says the same. Programs that export stamp
// everything with the present.
func unchanged(e *shelf.Edit, at shelf.Path, o *shelf.Object) (bool, error) {
	c, err := e.Collection(at.Kind, at.Collection)
	if err != nil {
		return false, err
	}
	r, err := c.Resource(at.Name)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil || r.ETag == o.Hash {
		return err == nil, err
	}
	data, err := c.Read(r)
	if err != nil {
		return false, err
	}
	return unstamped(data) == unstamped(o.Data), nil
}

// unstamped is an object without its DTSTAMPs.
func unstamped(data []byte) string {
	var b strings.Builder
	for l := range strings.Lines(string(data)) {
		if !strings.HasPrefix(l, "DTSTAMP:") {
			b.WriteString(l)
		}
	}
	return b.String()
}

// dress gives a calendar the name and colour that it has elsewhere, where its owner
// has not said any.
func dress(p *shelf.Props, head *line.Component) {
	set := func(to *string, names ...string) {
		for _, name := range names {
			if v := line.Unescape(head.Value(name)); *to == "" && v != "" && len(v) <= 200 {
				*to = v
			}
		}
	}
	set(&p.DisplayName, "NAME", "X-WR-CALNAME")
	set(&p.Description, "DESCRIPTION", "X-WR-CALDESC")
	set(&p.Color, "X-APPLE-CALENDAR-COLOR")
}
