package object

import (
	"bytes"
	"errors"
	"strconv"
	"time"
)

// A Signature says who did something and when. Name and Email hold no angle
// bracket, NUL or line feed (Encode leaves such bytes out). When has a resolution of one
// second; its zone is kept as an offset, and when git's notation of it was
// unusual (-0000, +51800), the location's name keeps that notation.
type Signature struct {
	Name, Email string
	When        time.Time
}

var errSignature = errors.New("not a name <email> date line")

// parseSignature parses the value of an author, committer or tagger
// header as git does: a date that cannot be read is the epoch.
func parseSignature(line []byte) (Signature, error) {
	open := bytes.IndexByte(line, '<')
	if open < 0 {
		return Signature{}, errSignature
	}
	end := bytes.IndexByte(line[open:], '>')
	if end < 0 {
		return Signature{}, errSignature
	}
	s := Signature{
		Name:  string(bytes.TrimSuffix(line[:open], []byte(" "))),
		Email: string(line[open+1 : open+end]),
		When:  time.Unix(0, 0).UTC(),
	}
	date := bytes.Fields(line[bytes.LastIndexByte(line, '>')+1:])
	if len(date) == 0 {
		return s, nil
	}
	sec, err := strconv.ParseInt(string(date[0]), 10, 64)
	if err != nil || date[0][0] == '-' || date[0][0] == '+' {
		return s, nil
	}
	s.When = time.Unix(sec, 0).UTC()
	if len(date) > 1 {
		if offset, ok := zoneOffset(string(date[1])); ok {
			s.When = s.When.In(location(string(date[1]), offset))
		}
	}
	return s, nil
}

// zoneOffset reads +hhmm as seconds, without bounds on hh and mm: git has none.
func zoneOffset(zone string) (seconds int, ok bool) {
	if len(zone) < 2 || len(zone) > 8 || zone[0] != '+' && zone[0] != '-' {
		return 0, false
	}
	n, err := strconv.ParseUint(zone[1:], 10, 32)
	if err != nil {
		return 0, false
	}
	seconds = int(n/100*60+n%100) * 60
	if zone[0] == '-' {
		seconds = -seconds
	}
	return seconds, true
}

func location(zone string, offset int) *time.Location {
	if zone == "+0000" {
		return time.UTC
	}
	return time.FixedZone(zone, offset)
}

func (s Signature) append(dst []byte) []byte {
	dst = appendClean(dst, s.Name)
	dst = append(dst, " <"...)
	dst = appendClean(dst, s.Email)
	dst = append(dst, "> "...)
	dst = strconv.AppendInt(dst, s.When.Unix(), 10)
	dst = append(dst, ' ')
	return appendZone(dst, s.When)
}

// appendClean leaves out what would break the line (git calls it crud).
func appendClean(dst []byte, s string) []byte {
	for i := range len(s) {
		switch c := s[i]; c {
		case '<', '>', '\n', 0:
		default:
			dst = append(dst, c)
		}
	}
	return dst
}

func appendZone(dst []byte, t time.Time) []byte {
	name, offset := t.Zone()
	if kept, ok := zoneOffset(name); ok && kept == offset {
		return append(dst, name...)
	}
	sign, minutes := byte('+'), offset/60
	if minutes < 0 {
		sign, minutes = '-', -minutes
	}
	hhmm := minutes/60*100 + minutes%60
	dst = append(dst, sign)
	for unit := 1000; unit > 1 && hhmm < unit; unit /= 10 {
		dst = append(dst, '0')
	}
	return strconv.AppendInt(dst, int64(hhmm), 10)
}
