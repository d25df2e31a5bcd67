package mailbox

import (
	"errors"
	"io/fs"
	"slices"
	"strings"

	"cairn/store"
)

const maxSubs = 1 << 20 // bytes of the file of subscriptions

func defaultSubs() []string {
	var list []string
	for _, d := range defaults {
		list = append(list, d.name)
	}
	slices.Sort(list)
	return list
}

// readSubs reads subscriptions.txt: a mailbox's name on each line. What is no name is passed over.
func readSubs(from reading) ([]string, error) {
	data, _, err := from.Blob(subsFile)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrInvalid) || errors.Is(err, store.ErrTooLarge) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return parseSubs(data), nil
}

func parseSubs(data []byte) []string {
	var list []string
	if len(data) > maxSubs {
		return nil
	}
	for line := range strings.Lines(string(data)) {
		if name, err := Canonical(strings.TrimRight(line, "\r\n")); err == nil {
			list = append(list, name)
		}
	}
	slices.Sort(list)
	return slices.Compact(list)
}

func formatSubs(list []string) []byte {
	var b []byte
	for _, name := range list {
		b = append(append(b, name...), '\n')
	}
	return b
}

// Subscribe adds a name, which need not exist, to what the user is subscribed to.
func (e *Edit) Subscribe(mailbox string) error {
	name, err := Canonical(mailbox)
	if err != nil {
		return err
	}
	i, there := slices.BinarySearch(e.subs, name)
	if there {
		return nil
	}
	if len(e.subs) >= maxMailboxes || len(formatSubs(e.subs))+len(name) >= maxSubs {
		return errMailboxes
	}
	return e.setSubs(slices.Insert(slices.Clone(e.subs), i, name))
}

// Unsubscribe takes a name away.
func (e *Edit) Unsubscribe(mailbox string) error {
	name, err := Canonical(mailbox)
	if err != nil {
		return err
	}
	if i, there := slices.BinarySearch(e.subs, name); there {
		return e.setSubs(slices.Delete(slices.Clone(e.subs), i, i+1))
	}
	return nil
}

func (e *Edit) setSubs(list []string) error {
	if err := e.begin(); err != nil {
		return err
	}
	e.subs = list
	return e.putSubs()
}

func (e *Edit) putSubs() error { return e.tx.Put(subsFile, formatSubs(e.subs)) }
