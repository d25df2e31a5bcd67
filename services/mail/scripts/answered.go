package scripts

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io/fs"
	"slices"
	"strings"
	"time"

	"cairn/services/mail/mailbox"
)

const (
	answeredFile = folder + "/.answered"
	maxAnswered  = 1000 // lines; those that end soonest are forgotten
	maxLine      = 100  // bytes
)

// An answered is somebody who is not answered again before a time. A line of the file is the time, and who:
// the latter only as a number that says nothing to whoever keeps the repository.
type answered struct {
	until time.Time
	who   string
}

// keyOf makes a number of an answer's handle and an address.
func (s *Shelf) keyOf(handle, address string) string {
	h := hmac.New(sha256.New, s.Key)
	h.Write([]byte(handle + "\x00" + strings.ToLower(address)))
	return hex.EncodeToString(h.Sum(nil)[:16])
}

// parseAnswered reads the file; lines that cannot be read are left out, as are those that are over.
func parseAnswered(data []byte, now time.Time) []answered {
	var list []answered
	for line := range strings.Lines(string(data)) {
		until, who, ok := strings.Cut(strings.TrimSpace(line), " ")
		t, err := time.Parse(time.RFC3339, until)
		if ok && err == nil && t.After(now) && len(list) < maxAnswered {
			list = append(list, answered{t, who})
		}
	}
	return list
}

// knows reports whether somebody has got an answer.
func knows(list []answered, who string) bool {
	return slices.ContainsFunc(list, func(a answered) bool { return a.who == who })
}

// remember writes down within an update that somebody has got an answer.
func remember(e *mailbox.Edit, a answered, now time.Time) error {
	data, err := e.ReadFile(answeredFile)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	list := slices.DeleteFunc(parseAnswered(data, now), func(b answered) bool { return a.who == b.who })
	list = append(list, a)
	slices.SortStableFunc(list, func(a, b answered) int { return a.until.Compare(b.until) })
	var b strings.Builder
	for _, a := range list[max(0, len(list)-maxAnswered):] {
		b.WriteString(a.until.UTC().Format(time.RFC3339) + " " + a.who + "\n")
	}
	return e.PutFile(answeredFile, []byte(b.String()))
}
