package junk

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
)

// Files are what lessons are written to: those of branch mail/<user> within an
// update. A *mailbox.Edit is one.
type Files interface {
	Reader
	PutFile(path string, data []byte) error
	RemoveFile(path string) error // absent is fs.ErrNotExist
}

// MaxLessons is how many messages are learned of in one update; more are passed over, as
// are those behind messages that had very many words.
const MaxLessons = 1000

const maxFresh = 100_000 // words

// Lessons are what is learned in one update. For one goroutine.
type Lessons struct {
	files   Files
	model   *model         // the state is that after the lessons, the table that before
	fresh   map[word]count // what they add to the table
	past    []lesson       // those of lessons.bin
	given   int
	changed bool
	damaged bool // what was there is of no use
}

// Teach begins lessons. Files that are damaged are begun anew.
func (f *Filter) Teach(files Files) (*Lessons, error) {
	l := &Lessons{files: files, fresh: map[word]count{}}
	was, err := f.load(files)
	if err == nil && was.state.merges > 0 {
		l.past, err = readPast(files, was.state.past)
	}
	switch {
	case errors.Is(err, ErrDamaged):
		l.damaged = true
		was, l.past = &model{table: &table{}}, nil
	case err != nil:
		return nil, err
	}
	l.model = &model{state: was.state, table: was.table}
	l.model.state.recent = slices.Clone(was.state.recent)
	l.model.state.lessons = slices.Clone(was.state.lessons)
	return l, nil
}

// Learn shows a message to the filter, and what it is. A message that it was shown before as the other is
// taken back; as the same, changes nothing.
func (l *Lessons) Learn(m Message, spam bool) {
	if l.given++; l.given > MaxLessons || len(l.fresh) > maxFresh {
		return
	}
	s := &l.model.state
	now := lesson{id: sumOf(m.Raw), spam: spam}
	before, known := l.before(now.id)
	if known && before.spam == spam {
		return
	}
	words := tokenize(m)
	if known {
		s.see(before.spam, -1)
	}
	if known && before.taught {
		l.count(words, before.spam, -1)
	}
	now.taught = !l.model.trained() || !sure(odds(words, l.now), spam)
	s.see(spam, 1)
	if now.taught {
		l.count(words, spam, 1)
	}
	s.lessons = append(s.lessons, now)
	l.changed = true
}

// now is the probability of a word after the lessons so far.
func (l *Lessons) now(w word) float64 {
	c, _ := l.model.table.find(w)
	f := l.fresh[w]
	return l.model.state.probability(count{plus(c.spam, f.spam), plus(c.ham, f.ham), 0})
}

// sure reports whether mean log odds are right, by far.
func sure(odds float64, spam bool) bool {
	if spam {
		return odds > sureSpam
	}
	return odds < -sureHam
}

// before returns the last lesson about a message.
func (l *Lessons) before(id sum) (lesson, bool) {
	for _, list := range [][]lesson{l.model.state.lessons, l.past} {
		for _, old := range slices.Backward(list) {
			if old.id == id {
				return old, true
			}
		}
	}
	return lesson{}, false
}

// see counts a lesson.
func (s *state) see(spam bool, n int) {
	if spam {
		s.seenSpam = max(0, s.seenSpam+n)
	} else {
		s.seenHam = max(0, s.seenHam+n)
	}
}

// count adds n for each of the words of a message, and for the message.
func (l *Lessons) count(words []word, spam bool, n int16) {
	s := &l.model.state
	c := count{ham: n}
	if spam {
		c = count{spam: n}
		s.spam = max(0, s.spam+int(n))
	} else {
		s.ham = max(0, s.ham+int(n))
	}
	for _, w := range words {
		f := l.fresh[w]
		l.fresh[w] = count{plus(f.spam, c.spam), plus(f.ham, c.ham), 0}
	}
}

// Save writes what was learned. Without it, nothing has happened.
func (l *Lessons) Save() error {
	if !l.changed {
		return nil
	}
	if l.damaged {
		if err := l.clear(); err != nil {
			return fmt.Errorf("write junk filter: %w", err)
		}
	}
	if err := l.save(); err != nil {
		return fmt.Errorf("write junk filter: %w", err)
	}
	return nil
}

func (l *Lessons) save() error {
	s := &l.model.state
	fresh := &table{}
	for _, w := range slices.Sorted(maps.Keys(l.fresh)) {
		fresh.append(w, l.fresh[w])
	}
	full := len(s.recent) == maxRecent || len(s.lessons) > maxPending || len(l.model.table.words)+len(fresh.words) > maxWords+maxFresh
	if full || l.damaged {
		fresh.mark(s.merges + 1)
		if err := l.merge(merged(l.model.table, fresh)); err != nil {
			return err
		}
	} else if len(fresh.words) > 0 {
		b := fresh.encode(0, len(fresh.words))
		if err := l.files.PutFile(recentFile(len(s.recent)), b); err != nil {
			return err
		}
		s.recent = append(s.recent, sumOf(b))
	}
	return l.files.PutFile(stateFile, s.encode())
}

// clear removes what cannot be used.
func (l *Lessons) clear() error {
	paths := []string{stateFile, lessonsFile}
	for i := range shards {
		paths = append(paths, wordsFile(i))
	}
	for i := range maxRecent {
		paths = append(paths, recentFile(i))
	}
	for _, path := range paths {
		if err := l.files.RemoveFile(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}
