package junk

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"math/bits"
	"slices"
)

const (
	maxPending  = 256     // lessons in state.txt, before a merge
	maxPast     = 4096    // lessons in lessons.bin
	maxWords    = 100_000 // words after a merge
	maxMessages = 10_000  // learned of one kind; counts are halved then, so that the new weighs more
)

// merge writes a table of everything into the files of words, removes those of recent
// and forgets.
func (l *Lessons) merge(t *table) error {
	s := &l.model.state
	s.merges++
	if max(s.spam, s.ham) > maxMessages {
		t.halve()
		s.spam, s.ham = s.spam/2, s.ham/2
	}
	t = t.pruned()
	var parts [shards][]byte
	for i := range parts {
		from, _ := slices.BinarySearch(t.words, word(i)<<(wordBits-4))
		to, _ := slices.BinarySearch(t.words, word(i+1)<<(wordBits-4))
		parts[i] = t.encode(from, to)
		if err := l.files.PutFile(wordsFile(i), parts[i]); err != nil {
			return err
		}
	}
	s.words = sumOf(parts[:]...)
	for i := range s.recent {
		if err := l.files.RemoveFile(recentFile(i)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	s.recent = nil
	return l.mergeLessons()
}

func (t *table) halve() {
	for i := range t.counts {
		t.counts[i].spam /= 2
		t.counts[i].ham /= 2
	}
}

// pruned returns the table without words of no count, and of at most maxWords
// words. Those go first that were seen least and longest ago: seen twice as often is worth
// eight merges.
func (t *table) pruned() *table {
	type place struct {
		worth int
		word  word
	}
	var list []place
	for i, w := range t.words {
		c := &t.counts[i]
		c.spam, c.ham = max(0, c.spam), max(0, c.ham)
		if n := uint(c.spam) + uint(c.ham); n > 0 {
			list = append(list, place{int(c.merge) + 8*min(bits.Len(n), 8), w})
		}
	}
	if len(list) > maxWords {
		slices.SortFunc(list, func(a, b place) int { return cmp.Or(b.worth-a.worth, cmp.Compare(a.word, b.word)) })
		list = list[:maxWords*7/8] // so that not each merge prunes
		slices.SortFunc(list, func(a, b place) int { return cmp.Compare(a.word, b.word) })
	}
	kept := &table{}
	for _, p := range list {
		c, _ := t.find(p.word)
		kept.append(p.word, c)
	}
	return kept
}

// mergeLessons moves the lessons of state.txt to lessons.bin: of each nine bytes,
// the sum of the message and what was done.
func (l *Lessons) mergeLessons() error {
	s := &l.model.state
	all := append(l.past, s.lessons...)
	all = all[max(0, len(all)-maxPast):]
	var b []byte
	for _, x := range all {
		flags := byte(0)
		if x.spam {
			flags |= 1
		}
		if x.taught {
			flags |= 2
		}
		b = append(append(b, x.id[:]...), flags)
	}
	s.past, s.lessons = sumOf(b), nil
	return l.files.PutFile(lessonsFile, b)
}

// readPast reads lessons.bin.
func readPast(files Reader, want sum) ([]lesson, error) {
	b, err := readOrNone(files, lessonsFile)
	if err != nil {
		return nil, fmt.Errorf("read junk filter: %w", err)
	}
	const size = len(sum{}) + 1
	if sumOf(b) != want || len(b)%size != 0 || len(b)/size > maxPast {
		return nil, fmt.Errorf("read junk filter: %w: %s is not that of %s", ErrDamaged, lessonsFile, stateFile)
	}
	var all []lesson
	for ; len(b) > 0; b = b[size:] {
		flags := b[size-1]
		all = append(all, lesson{sum(b[:size-1]), flags&1 != 0, flags&2 != 0})
	}
	return all, nil
}
