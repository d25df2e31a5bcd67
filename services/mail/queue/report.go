package queue

import (
	"crypto/rand"
	"errors"
	"io/fs"

	"cairn/services/mail/queue/dsn"
	"cairn/store"
)

// A report is what a sender is told of one message.
type report struct {
	entry *entry
	about []dsn.Recipient
}

func (r *report) add(to Waiting, a answer, action dsn.Action) {
	about := dsn.Recipient{
		Original: to.Original, Final: to.Address, Action: action, Status: a.status,
		Words: a.Text, Remote: a.host, Reply: a.reply,
	}
	if action == dsn.Delayed {
		about.Until = r.entry.Queued.Add(maxAge)
	}
	r.about = append(r.about, about)
}

// putReports queues reports. Nobody is told of what happened to a report, nor of a message whose sender
// no address can be.
func (q *Queue) putReports(tx *store.Tx, reports map[string]*report) error {
	for dir, r := range reports {
		if len(r.about) == 0 || r.entry.From == "" {
			continue
		}
		raw, err := q.unseal(tx, dir+"/"+messageFile)
		if err != nil {
			return err
		}
		var random [16]byte
		rand.Read(random[:])
		text := dsn.Report{
			Host: q.o.Hostname(), Sender: r.entry.From, EnvID: r.entry.EnvID, Arrived: r.entry.Queued,
			About: r.about, Message: raw,
			Full: r.entry.Full && !r.entry.RequireTLS, // what may not travel in the open does not go back (RFC 8689 §5)
		}.Encode(q.o.Now(), random[:])
		_, err = q.Put(tx, Message{To: []Recipient{{Address: r.entry.From, Notify: Never}}, Raw: text, UTF8: r.entry.UTF8})
		if err != nil && !errors.Is(err, fs.ErrInvalid) {
			return err
		}
	}
	return nil
}
