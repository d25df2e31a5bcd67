package scripts

import (
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
	maxLine      = 400  // bytes
)

// An answered is somebody who is not answered again before a time; a line of the file: the time, what
// the answer was, and the address.
type answered struct {
	until  time.Time
	handle string
	who    string
}

// keyOf makes of a handle and an address what is written of them.
func keyOf(handle, address string) (string, string) {
	sum := sha256.Sum256([]byte(handle))
	return hex.EncodeToString(sum[:8]), strings.ToLower(address)
}

// parseAnswered reads the file; lines that cannot be read are left out, as are those that are over.
func parseAnswered(data []byte, now time.Time) []answered {
	var list []answered
	for line := range strings.Lines(string(data)) {
		until, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		handle, who, ok := strings.Cut(rest, " ")
		t, err := time.Parse(time.RFC3339, until)
		if ok && err == nil && t.After(now) && len(list) < maxAnswered {
			list = append(list, answered{t, handle, who})
		}
	}
	return list
}

// knows reports whether somebody has got an answer.
func knows(list []answered, handle, who string) bool {
	return slices.ContainsFunc(list, func(a answered) bool { return a.handle == handle && a.who == who })
}

// remember writes down within an update that somebody has got an answer.
func remember(e *mailbox.Edit, a answered, now time.Time) error {
	data, err := e.ReadFile(answeredFile)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	list := slices.DeleteFunc(parseAnswered(data, now), func(b answered) bool { return a.handle == b.handle && a.who == b.who })
	list = append(list, a)
	slices.SortStableFunc(list, func(a, b answered) int { return a.until.Compare(b.until) })
	var b strings.Builder
	for _, a := range list[max(0, len(list)-maxAnswered):] {
		b.WriteString(a.until.UTC().Format(time.RFC3339) + " " + a.handle + " " + a.who + "\n")
	}
	return e.PutFile(answeredFile, []byte(b.String()))
}
