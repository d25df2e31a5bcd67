package junk

import (
	"archive/tar"
	"cmp"
	"compress/gzip"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path"
	"slices"
	"strings"
	"testing"
)

// corpus is the public mail corpus of SpamAssassin as an npm package holds it: 4150 wanted messages, among
// them 250 that are hard to tell from junk, and 1896 of junk.
const corpus = "/var/cache/cairn-judges/datasets-spam-assassin-0.2.3.tgz"

// A sample is a message of which somebody has said what it is.
type sample struct {
	name string
	raw  []byte
	spam bool
}

// samples returns the corpus in an order that has nothing to do with what the messages are.
func samples(t testing.TB) []sample {
	t.Helper()
	f, err := os.Open(corpus)
	if errors.Is(err, fs.ErrNotExist) {
		if os.Getenv("CAIRN_CI") != "" {
			t.Fatalf("no corpus of mail at %s, which .ci/run fetches", corpus)
		}
		t.Skipf("no corpus of mail at %s", corpus)
	}
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	unzip, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	var list []sample
	for in := tar.NewReader(unzip); ; {
		h, err := in.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		dir, name := path.Split(strings.TrimPrefix(h.Name, "package/data/"))
		if path.Ext(name) != ".json" || dir == "" || dir == h.Name {
			continue
		}
		var m struct{ Text string }
		if err := json.NewDecoder(in).Decode(&m); err != nil || m.Text == "" {
			continue
		}
		list = append(list, sample{name, []byte(m.Text), strings.HasPrefix(dir, "spam")})
	}
	// The names are a number and an MD5.
	slices.SortFunc(list, func(a, b sample) int {
		return cmp.Compare(a.name[strings.IndexByte(a.name, '.'):], b.name[strings.IndexByte(b.name, '.'):])
	})
	if len(list) < 6000 {
		t.Fatalf("the corpus has %d messages, want 6046", len(list))
	}
	return list
}

// teach shows samples to the filter, some to an update.
func teach(t testing.TB, f *Filter, files Files, list []sample) {
	t.Helper()
	for part := range slices.Chunk(list, 25) {
		l, err := f.Teach(files)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range part {
			l.Learn(Message{Raw: s.raw}, s.spam)
		}
		if err := l.Save(); err != nil {
			t.Fatal(err)
		}
	}
}

// A tally counts judgements.
type tally struct{ spam, caught, ham, wrong int }

func (c *tally) judge(t testing.TB, f *Filter, files Reader, list []sample, at float64) {
	t.Helper()
	for _, s := range list {
		score, err := f.Score(files, Message{Raw: s.raw})
		if err != nil {
			t.Fatal(err)
		}
		switch {
		case s.spam:
			c.spam++
			if score >= at {
				c.caught++
			}
		default:
			c.ham++
			if score >= at {
				c.wrong++
			}
		}
	}
}

func percent(n, of int) float64 { return 100 * float64(n) / float64(of) }

// TestCorpus teaches the filter one half of a sixth of the corpus and has it judge the other,
// and the other way round; in the long campaign of all of it, for six random ways to halve it. Half a dozen messages
// decide whether one half alone is within a thousandth: advertisements that somebody
// had asked for, each the only one of its sender.
func TestCorpus(t *testing.T) {
	list := samples(t)
	ways, least, most := 6, 95.0, 0.1
	if os.Getenv("CAIRN_LONG") == "" {
		list, ways, least, most = list[:1000], 1, 60, 1
	}
	var all tally
	for seed := range ways {
		rand.New(rand.NewPCG(uint64(seed), 7)).Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
		half := len(list) / 2
		for _, learn := range [][]sample{list[:half], list[half:]} {
			judge := list[half:]
			if &learn[0] == &judge[0] {
				judge = list[:half]
			}
			f, files := New(64<<20), memory{}
			teach(t, f, files, learn)
			var c tally
			c.judge(t, f, files, judge, Surely)
			t.Logf("%d messages learned of: of %d junk %.2f%% caught, of %d wanted %d (%.3f%%) called junk; %d KB of files",
				len(learn), c.spam, percent(c.caught, c.spam), c.ham, c.wrong, percent(c.wrong, c.ham), files.size()>>10)
			all = tally{all.spam + c.spam, all.caught + c.caught, all.ham + c.ham, all.wrong + c.wrong}
		}
	}
	caught, wrong := percent(all.caught, all.spam), percent(all.wrong, all.ham)
	t.Logf("all together: %.2f%% caught, %.3f%% called junk", caught, wrong)
	if caught < least || wrong > most {
		t.Errorf("%.2f%% of junk was caught and %.3f%% of wanted messages called junk, want at least %v%% and at most %v%%", caught, wrong, least, most)
	}
}
