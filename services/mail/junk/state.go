package junk

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"strings"
)

// Reader reads files of branch mail/<user>; absent is fs.ErrNotExist. A *store.Tree is one.
type Reader interface {
	ReadFile(path string) ([]byte, error)
}

const (
	stateFile   = "junk/state.txt"
	lessonsFile = "junk/lessons.bin"
	shards      = 16
	maxState    = 64 << 10 // bytes of state.txt
)

func wordsFile(shard int) string { return fmt.Sprintf("junk/words/%x.bin", shard) }
func recentFile(n int) string    { return fmt.Sprintf("junk/recent/%02d.bin", n) }

// A sum is the beginning of a SHA-256.
type sum [8]byte

func sumOf(parts ...[]byte) sum {
	h := sha256.New()
	for _, p := range parts {
		fmt.Fprintf(h, "%d ", len(p))
		h.Write(p)
	}
	return sum(h.Sum(nil))
}

func (s sum) String() string { return hex.EncodeToString(s[:]) }

// A lesson is a message that was shown to the filter.
type lesson struct {
	id     sum // of its bytes
	spam   bool
	taught bool // its words were learned
}

// A state is what state.txt holds. The sums in it bind all other files, so that
// its bytes name what the filter knows.
type state struct {
	seenSpam, seenHam int // lessons given
	spam, ham         int // messages that were learned, from which the counts of words are
	merges            int
	words             sum   // of the files of words, one after the other
	past              sum   // of lessons.bin
	recent            []sum // of the files of recent
	lessons           []lesson
}

// encode writes a line for each fact.
func (s *state) encode() []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "junk 1\nseen %d %d\nlearned %d %d\nmerges %d\nwords %v\npast %v\n", s.seenSpam, s.seenHam, s.spam, s.ham, s.merges, s.words, s.past)
	for _, r := range s.recent {
		fmt.Fprintf(&b, "recent %v\n", r)
	}
	for _, l := range s.lessons {
		fmt.Fprintf(&b, "lesson %v %t %t\n", l.id, l.spam, l.taught)
	}
	return b.Bytes()
}

func decodeState(b []byte) (state, error) {
	var s state
	if len(b) > maxState {
		return s, fmt.Errorf("%w: %s is too long", ErrDamaged, stateFile)
	}
	lines := strings.Split(string(b), "\n")
	if lines[0] != "junk 1" {
		return s, fmt.Errorf("%w: %s is of another version", ErrDamaged, stateFile)
	}
	for _, line := range lines[1:] {
		if line == "" {
			continue
		}
		if err := s.line(line); err != nil {
			return state{}, fmt.Errorf("%w: %s: line %q: %w", ErrDamaged, stateFile, line, err)
		}
	}
	if min(s.seenSpam, s.seenHam, s.spam, s.ham, s.merges) < 0 || len(s.recent) > maxRecent {
		return state{}, fmt.Errorf("%w: %s: numbers that cannot be", ErrDamaged, stateFile)
	}
	return s, nil
}

var errField = errors.New("unknown")

func (s *state) line(line string) (err error) {
	name, rest, _ := strings.Cut(line, " ")
	switch name {
	case "seen":
		_, err = fmt.Sscanf(rest, "%d %d", &s.seenSpam, &s.seenHam)
	case "learned":
		_, err = fmt.Sscanf(rest, "%d %d", &s.spam, &s.ham)
	case "merges":
		_, err = fmt.Sscanf(rest, "%d", &s.merges)
	case "words":
		s.words, err = parseSum(rest)
	case "past":
		s.past, err = parseSum(rest)
	case "recent":
		var r sum
		r, err = parseSum(rest)
		s.recent = append(s.recent, r)
	case "lesson":
		id, flags, _ := strings.Cut(rest, " ")
		l := lesson{}
		if l.id, err = parseSum(id); err == nil {
			_, err = fmt.Sscanf(flags, "%t %t", &l.spam, &l.taught)
		}
		s.lessons = append(s.lessons, l)
	default:
		err = errField
	}
	return err
}

func parseSum(text string) (s sum, err error) {
	b, err := hex.DecodeString(text)
	if err == nil && len(b) != len(s) {
		err = errField
	}
	copy(s[:], b)
	return s, err
}

// readOrNone reads a file; one that is absent is empty.
func readOrNone(files Reader, path string) ([]byte, error) {
	b, err := files.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return b, err
}
