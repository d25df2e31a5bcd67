package mailbox

import (
	"fmt"
	"slices"

	"cairn/store/object"
)

// messages judges each message that is not as it was.
func (b *boxCheck) messages(dir string, is, was *group) error {
	for _, m := range is.msgs {
		var old *Message
		if i, ok := slices.BinarySearchFunc(was.msgs, m.UID, func(m Message, uid UID) int { return int(int64(m.UID) - int64(uid)) }); ok {
			old = &was.msgs[i]
		}
		if old != nil && *old == m {
			continue
		}
		if err := b.message(dir, &m, old); err != nil {
			return err
		}
	}
	return nil
}

func (b *boxCheck) message(dir string, m, old *Message) error {
	line := fmt.Sprintf("%s/%s, UID %d", dir, stateFile, m.UID)
	if err := b.modSeq(line, m, old); err != nil {
		return err
	}
	if old == nil {
		return b.added(line, m)
	}
	if m.Blob != old.Blob || m.Trace != old.Trace {
		return fmt.Errorf("%s/%d%s: a message cannot be changed: put it back, or remove it and put the new one into %s itself", dir, m.UID, rawExt, b.dir)
	}
	if m.Size != old.Size || m.hide != old.hide || m.received != old.received {
		return fmt.Errorf("%s: of a line only modseq and flags can be changed: put back the others", line)
	}
	return nil
}

// modSeq judges the modseq of a message that was old.
func (b *boxCheck) modSeq(line string, m, old *Message) error {
	switch {
	case m.ModSeq == 0:
		return nil // Settle gives it one
	case b.rec != nil && m.ModSeq > b.rec.ModSeq:
		return fmt.Errorf("%s: modseq %d is higher than that of %s: write ? for it", line, m.ModSeq, recordFile)
	case old == nil:
		return nil
	case m.ModSeq < old.ModSeq:
		return fmt.Errorf("%s: modseq goes back from %d to %d: write ? for it", line, old.ModSeq, m.ModSeq)
	case m.Flags != old.Flags && b.was != nil && m.ModSeq <= b.was.ModSeq:
		return fmt.Errorf("%s: other flags need a new modseq: write ? for it", line)
	}
	return nil
}

// added judges a message of a UID that was not there.
func (b *boxCheck) added(line string, m *Message) error {
	switch {
	case b.was != nil && m.UID < b.was.UIDNext:
		return fmt.Errorf("%s was given out before: put the message into %s itself", line, b.dir)
	case b.rec != nil && m.UID >= b.rec.UIDNext:
		return fmt.Errorf("%s is not below uid_next of %s: put the message into %s itself", line, recordFile, b.dir)
	}
	size, err := b.served(m)
	if err != nil {
		return fmt.Errorf("%s: %w", line, err)
	}
	if size != int64(m.Size) {
		return fmt.Errorf("%s: the size is %d, not %d", line, size, m.Size)
	}
	return nil
}

// served is how many bytes of a message are served, by the sizes of its files.
func (b *boxCheck) served(m *Message) (int64, error) {
	size, err := b.new.BlobSize(m.Blob)
	if err != nil {
		return 0, err
	}
	spans, err := parseSpans(m.hide)
	if err != nil {
		return 0, err
	}
	if err := within(spans, size); err != nil {
		return 0, err
	}
	for _, s := range spans {
		size -= int64(s.Length)
	}
	if m.Trace == object.Zero {
		return size, nil
	}
	trace, err := b.new.BlobSize(m.Trace)
	return size + trace, err
}
