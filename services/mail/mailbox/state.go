package mailbox

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"cairn/store"
)

// The file flags.txt of a group of messages has a line for each, in the order of their UIDs:
//
//	# uid modseq received size flags
//	12345 678 2026-11-21T12:00:00Z 4567 \Seen $Forwarded
//	12346 679 2026-11-21T12:00:01Z 9876 (210+95,400+12) \Flagged
//
// The size is that of what is served. In parentheses is what is hidden of the message as received: offset and
// length of each field. Who changes flags by hand writes ? for modseq.
const stateHead = "# uid modseq received size flags\n"

const maxState = 1 << 20 // bytes of a state file that is read

// appendState writes a group's file.
func appendState(dst []byte, msgs []Message) []byte {
	dst = append(dst, stateHead...)
	for i := range msgs {
		dst = msgs[i].appendLine(dst)
	}
	return dst
}

func (m *Message) appendLine(dst []byte) []byte {
	dst = strconv.AppendUint(dst, uint64(m.UID), 10)
	dst = append(dst, ' ')
	if m.ModSeq == 0 {
		dst = append(dst, '?')
	} else {
		dst = strconv.AppendUint(dst, m.ModSeq, 10)
	}
	dst = append(dst, ' ')
	dst = time.Unix(m.received, 0).UTC().AppendFormat(dst, time.RFC3339)
	dst = append(dst, ' ')
	dst = strconv.AppendUint(dst, uint64(m.Size), 10)
	if m.hide != "" {
		dst = append(append(append(dst, " ("...), m.hide...), ')')
	}
	if m.Flags != (Flags{}) {
		dst = append(append(dst, ' '), m.Flags.String()...)
	}
	return append(dst, '\n')
}

// A lineError says what is wrong with a line of a state file.
type lineError struct {
	line int // from 1
	what string
}

func (e *lineError) Error() string { return fmt.Sprintf("line %d: %s", e.line, e.what) }

// parseState reads the file of group n. It returns what lines it can read, without the hashes of the messages, and an
// error for the first that it cannot.
func parseState(data []byte, n uint32) ([]Message, error) {
	if len(data) > maxState {
		return nil, store.ErrTooLarge
	}
	msgs := make([]Message, 0, min(bytes.Count(data, []byte("\n")), perGroup))
	var first error
	var p lineParser
	at := 0
	for line := range strings.Lines(string(data)) {
		at++
		line = strings.TrimRight(line, "\r\n")
		if line == "" || line[0] == '#' {
			continue
		}
		m, err := p.parse(line)
		switch {
		case err != nil:
		case groupOf(m.UID) != n:
			err = fmt.Errorf("UID %d does not belong into this file", m.UID)
		case len(msgs) > 0 && msgs[len(msgs)-1].UID >= m.UID:
			err = fmt.Errorf("UID %d does not come after that of the line before", m.UID)
		}
		if err == nil {
			msgs = append(msgs, m)
		} else if first == nil {
			first = &lineError{at, err.Error()}
		}
	}
	return msgs, first
}

// A lineParser remembers flags: neighbours tend to have the same.
type lineParser struct {
	text  string
	flags Flags
}

var errLine = errors.New("a line is: uid modseq received size flags, with a space between them")

func (p *lineParser) parse(line string) (m Message, err error) {
	uid, rest, ok1 := cutNumber(line, 32)
	seq := uint64(0)
	ok2 := true
	if after, unset := strings.CutPrefix(rest, "? "); unset {
		rest = after
	} else if seq, rest, ok2 = cutNumber(rest, 63); seq == 0 {
		ok2 = false
	}
	date, rest, ok3 := strings.Cut(rest, " ")
	size, rest, _ := strings.Cut(rest, " ")
	bytes, err := strconv.ParseUint(size, 10, 32)
	if !ok1 || !ok2 || !ok3 || uid == 0 || err != nil {
		return m, errLine
	}
	when, err := time.Parse(time.RFC3339, date)
	if err != nil || storable(when) != when.Unix() {
		return m, fmt.Errorf("%q is no time such as 2026-11-21T12:00:00Z", date)
	}
	m = Message{UID: UID(uid), Size: uint32(bytes), ModSeq: seq, received: when.Unix()}
	if after, hidden := strings.CutPrefix(rest, "("); hidden {
		m.hide, rest, ok1 = strings.Cut(after, ")")
		if _, err := parseSpans(m.hide); err != nil || !ok1 {
			return m, fmt.Errorf("(%s is not what is hidden of a message: leave it as it was", m.hide)
		}
		m.hide = strings.Clone(m.hide) // it is kept, and the file is not
		rest = strings.TrimPrefix(rest, " ")
	}
	if rest != p.text {
		if p.flags, ok1 = parseFlags(rest); !ok1 {
			p.text = ""
			p.flags = Flags{}
			return m, fmt.Errorf("%q are not flags with a space between them, such as \\Seen \\Flagged $Forwarded", rest)
		}
		p.text = rest
	}
	m.Flags = p.flags
	return m, nil
}

// cutNumber cuts a number of at most bits bits and the space behind it.
func cutNumber(s string, bits int) (n uint64, rest string, ok bool) {
	digits, rest, ok := strings.Cut(s, " ")
	n, err := strconv.ParseUint(digits, 10, bits)
	return n, rest, ok && err == nil
}
