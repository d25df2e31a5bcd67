package junk

import (
	"fmt"
	"sync"
)

// MinLessons is how many messages of each kind a user has to have shown the filter
// before it judges.
const MinLessons = 20

const (
	maxRecent = 64      // files of recent, before they are merged
	maxRead   = 400_000 // words in all files of words, and in all of recent
)

// A Filter judges messages for all users. It keeps the statistics of those who got
// mail lately in memory. Safe for concurrent use.
type Filter struct {
	max int

	mu     sync.Mutex // guards all below
	models map[sum]*model
	bytes  int
	clock  int
}

// A model is what a user's files say. It does not change.
type model struct {
	state state
	table *table
	bytes int
	used  int // Filter.clock when it was used last; guarded by Filter.mu
}

// New returns a filter that keeps at most so many bytes of statistics in memory. A
// user has up to 2 MB of them.
func New(maxBytes int) *Filter { return &Filter{max: maxBytes, models: map[sum]*model{}} }

// Score says how much a message looks like what the user has moved to the junk, from 0 to 1; from
// Surely on it is junk. It is Unsure until the user has shown MinLessons messages of
// both kinds. Files that are damaged are ErrDamaged.
func (f *Filter) Score(files Reader, m Message) (float64, error) {
	model, err := f.load(files)
	if err != nil {
		return Unsure, err
	}
	if !model.trained() {
		return Unsure, nil
	}
	return model.state.score(odds(tokenize(m), model.probability)), nil
}

func (m *model) trained() bool { return min(m.state.seenSpam, m.state.seenHam) >= MinLessons }

func (m *model) probability(w word) float64 {
	c, _ := m.table.find(w)
	return m.state.probability(c)
}

// load returns what is in the files, from memory if it was there before.
func (f *Filter) load(files Reader) (*model, error) {
	text, err := readOrNone(files, stateFile)
	if err != nil {
		return nil, fmt.Errorf("read junk filter: %w", err)
	}
	if len(text) == 0 {
		return &model{table: &table{}}, nil
	}
	key := sumOf(text)
	if m := f.cached(key); m != nil {
		return m, nil
	}
	m, err := read(files, text)
	if err != nil {
		return nil, fmt.Errorf("read junk filter: %w", err)
	}
	f.keep(key, m)
	return m, nil
}

// read reads all files and checks them against the sums in state.txt.
func read(files Reader, text []byte) (*model, error) {
	s, err := decodeState(text)
	if err != nil {
		return nil, err
	}
	m := &model{state: s, table: &table{}}
	var parts [shards][]byte
	for i := range parts {
		if s.merges == 0 {
			break
		}
		if parts[i], err = readOrNone(files, wordsFile(i)); err != nil {
			return nil, err
		}
		if err := m.table.decode(parts[i]); err != nil {
			return nil, err
		}
	}
	if s.merges > 0 && sumOf(parts[:]...) != s.words {
		return nil, fmt.Errorf("%w: files of words are not those of %s", ErrDamaged, stateFile)
	}
	recent := &table{}
	for i, want := range s.recent {
		b, err := readOrNone(files, recentFile(i))
		if err != nil {
			return nil, err
		}
		t := &table{}
		if sumOf(b) != want {
			return nil, fmt.Errorf("%w: %s is not that of %s", ErrDamaged, recentFile(i), stateFile)
		}
		if err := t.decode(b); err != nil {
			return nil, err
		}
		t.mark(s.merges + 1)
		if recent = merged(recent, t); len(recent.words) > maxRead {
			return nil, fmt.Errorf("%w: too many words", ErrDamaged)
		}
	}
	m.table = merged(m.table, recent)
	m.bytes = 16*len(m.table.words) + len(text)
	return m, nil
}

func (f *Filter) cached(key sum) *model {
	f.mu.Lock()
	defer f.mu.Unlock()
	m := f.models[key]
	if m != nil {
		f.clock++
		m.used = f.clock
	}
	return m
}

// keep remembers a model, and forgets those that were not used for longest.
func (f *Filter) keep(key sum, m *model) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.models[key] != nil || m.bytes > f.max {
		return
	}
	for f.bytes+m.bytes > f.max {
		var oldest sum
		for k, o := range f.models {
			if f.models[oldest] == nil || o.used < f.models[oldest].used {
				oldest = k
			}
		}
		f.bytes -= f.models[oldest].bytes
		delete(f.models, oldest)
	}
	f.clock++
	m.used = f.clock
	f.models[key] = m
	f.bytes += m.bytes
}
