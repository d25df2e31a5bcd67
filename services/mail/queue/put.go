package queue

import (
	"cmp"
	"crypto/rand"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"cairn/services/mail/message"
	"cairn/services/mail/queue/client"
	"cairn/store"
)

// Put queues a message within somebody's Update of the branch "queue": it is accepted when that
// returns nil. It returns the message's name in the queue, another one each time that it runs. An
// address that cannot be sent to, however the world may answer, is an error that is fs.ErrInvalid:
// CheckAddress says so before. An EnvID that is none is left out.
func (q *Queue) Put(tx *store.Tx, m Message) (id string, err error) {
	entries, err := q.entries(m)
	if err != nil {
		return "", err
	}
	var random [10]byte
	rand.Read(random[:])
	id = newID(random)
	dir, err := folder(id)
	if err != nil {
		return "", err
	}
	if err := q.seal(tx, dir+"/"+messageFile, m.Raw); err != nil {
		return "", err
	}
	for n, e := range entries {
		if err := q.writeEntry(tx, entryPath(dir, n), e); err != nil {
			return "", err
		}
	}
	return id, nil
}

// CheckAddress says whether Put takes an address; one that it does not is fs.ErrInvalid.
func CheckAddress(address string) error {
	_, err := domainOf(address)
	return err
}

// entries divides a message's recipients: by domain, a hundred at a time.
func (q *Queue) entries(m Message) ([]*entry, error) {
	if len(m.To) == 0 {
		return nil, fmt.Errorf("queue a message for nobody: %w", fs.ErrInvalid)
	}
	to, err := route(m.To)
	if err != nil {
		return nil, fmt.Errorf("queue a message: %w", err)
	}
	var all []*entry
	common := q.envelope(m)
	for rest := to; len(rest) > 0; {
		e := common
		e.Domain = rest[0].domain
		for len(rest) > 0 && len(e.To) < maxRecipients && rest[0].domain == e.Domain {
			e.To = append(e.To, Waiting{Recipient: rest[0].Recipient})
			e.UTF8 = e.UTF8 || !asciiLocal(rest[0].Address)
			rest = rest[1:]
		}
		if err := e.check(); err != nil {
			return nil, fmt.Errorf("queue a message: %w: %w", err, fs.ErrInvalid)
		}
		all = append(all, &e)
	}
	return all, nil
}

// A routed is a recipient with its domain.
type routed struct {
	domain string
	Recipient
}

// route sorts recipients by domain, and has each once.
func route(list []Recipient) ([]routed, error) {
	seen := map[string]bool{}
	var to []routed
	for _, r := range list {
		domain, err := domainOf(r.Address)
		if err != nil {
			return nil, err
		}
		if !seen[r.Address] {
			seen[r.Address] = true
			r.Original = client.Printable(r.Original, maxOriginal)
			to = append(to, routed{domain, r})
		}
	}
	slices.SortStableFunc(to, func(a, b routed) int { return cmp.Compare(a.domain, b.domain) })
	return to, nil
}

// envelope returns what all entries of a message have in common. A message needs what is in it, not
// what was asked for when it came: SMTPUTF8 on an ordinary message asks nothing of those who
// get it (RFC 6531 §3.6).
func (q *Queue) envelope(m Message) entry {
	facts := message.Inspect(m.Raw)
	if !validEnvID(m.EnvID) {
		m.EnvID = ""
	}
	now := q.o.Now().UTC().Round(0)
	return entry{
		From: m.From, EnvID: m.EnvID, Full: m.Full,
		UTF8:       m.UTF8 && facts.UTF8Header || m.From != "" && !asciiLocal(m.From),
		RequireTLS: m.RequireTLS, EightBit: facts.EightBit,
		Binary: facts.NUL || facts.BareCR || facts.BareLF,
		Size:   int64(len(m.Raw)), Queued: now, Next: now,
	}
}

// asciiLocal reports whether the part of an address that cannot be spelled otherwise is ASCII.
func asciiLocal(address string) bool {
	local := address[:strings.LastIndexByte(address, '@')+1]
	return !strings.ContainsFunc(local, func(r rune) bool { return r > '~' })
}
