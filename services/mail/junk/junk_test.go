package junk

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
)

// letter makes a message of some words of a kind and some of any kind.
func letter(i int, spam bool) Message {
	dice := rand.New(rand.NewPCG(uint64(i), 1))
	kind := "meeting budget garden children library"
	if spam {
		kind = "casino pills lottery winner unsubscribe"
	}
	var b strings.Builder
	fmt.Fprintf(&b, "From: someone%d@example.org\r\nSubject: letter\r\n\r\n", i)
	for range 10 {
		fmt.Fprintf(&b, "%s word%d\r\n", strings.Fields(kind)[dice.IntN(5)], dice.IntN(500))
	}
	return Message{Raw: []byte(b.String())}
}

// learn shows n letters of both kinds, from number i on, in one update.
func learn(t testing.TB, f *Filter, files Files, i, n int) {
	t.Helper()
	l, err := f.Teach(files)
	if err != nil {
		t.Fatal(err)
	}
	for ; n > 0; n-- {
		l.Learn(letter(i, true), true)
		l.Learn(letter(i, false), false)
		i++
	}
	if err := l.Save(); err != nil {
		t.Fatal(err)
	}
}

func scoreOf(t testing.TB, f *Filter, files Reader, m Message) float64 {
	t.Helper()
	s, err := f.Score(files, m)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestScore(t *testing.T) {
	f, files := New(1<<20), memory{}
	if got := scoreOf(t, f, files, letter(1, true)); got != Unsure {
		t.Errorf("the score of a user who never taught anything is %v, want %v", got, Unsure)
	}
	learn(t, f, files, 0, MinLessons-1)
	if got := scoreOf(t, f, files, letter(1, true)); got != Unsure {
		t.Errorf("the score after %d lessons is %v, want %v", MinLessons-1, got, Unsure)
	}
	learn(t, f, files, MinLessons, 30)
	for i := 1000; i < 1020; i++ {
		if got := scoreOf(t, f, files, letter(i, true)); got < Surely {
			t.Errorf("the score of junk is %v", got)
		}
		if got := scoreOf(t, f, files, letter(i, false)); got > 0.1 {
			t.Errorf("the score of what is wanted is %v", got)
		}
	}
	if got := scoreOf(t, f, files, Message{Raw: []byte("\r\n")}); got > Surely || got < 0.1 {
		t.Errorf("the score of an empty message is %v", got)
	}
}

// TestTakenBack makes sure that moving a message into the junk and out of it again leaves no trace but in
// its own favour.
func TestTakenBack(t *testing.T) {
	f, files := New(1<<20), memory{}
	show := func(files Files, i int, spam bool) {
		l, err := f.Teach(files)
		if err != nil {
			t.Fatal(err)
		}
		l.Learn(letter(i, false), spam)
		if err := l.Save(); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 300 { // merges come between
		show(files, i, true)
		if i == 100 {
			for range 3 {
				show(files, i, true)
			}
		}
	}
	for i := range 300 {
		show(files, i, false)
	}
	got, err := f.load(files)
	if err != nil {
		t.Fatal(err)
	}
	if s := got.state; s.seenSpam != 0 || s.spam != 0 || s.seenHam != 300 || s.ham == 0 || s.ham > 300 {
		t.Errorf("after everything was taken back: seen %d and %d, learned %d and %d", s.seenSpam, s.seenHam, s.spam, s.ham)
	}
	for i, c := range got.table.counts {
		if c.spam > 0 || int(c.ham) > got.state.ham {
			t.Errorf("word %x counts %d and %d", got.table.words[i], c.spam, c.ham)
		}
	}
}

func TestDeterministic(t *testing.T) {
	one, two := memory{}, memory{}
	for i := range 80 {
		learn(t, New(1<<20), one, i*3, 3)
		learn(t, New(0), two, i*3, 3)
	}
	if !maps.EqualFunc(one, two, bytes.Equal) {
		t.Error("the same lessons gave different files")
	}
}

// TestLittleIsWritten looks at what a lesson changes.
func TestLittleIsWritten(t *testing.T) {
	f, files := New(1<<20), memory{}
	var written, updates int
	for i := range 200 {
		before := maps.Clone(files)
		learn(t, f, files, i, 1)
		for path, b := range files {
			if !bytes.Equal(before[path], b) {
				written += len(b)
			}
		}
		updates++
	}
	t.Logf("%d bytes are written for an update of two lessons, merges included", written/updates)
	if written/updates > 16<<10 {
		t.Errorf("%d bytes are written for an update", written/updates)
	}
}

func TestBounded(t *testing.T) {
	f, files := New(8<<20), memory{}
	n := 0
	for range 12 {
		l, err := f.Teach(files)
		if err != nil {
			t.Fatal(err)
		}
		for i := range 8 {
			var b strings.Builder
			b.WriteString("\r\n")
			for range 4000 {
				n++
				fmt.Fprintf(&b, "w%d\r\n", n)
			}
			l.Learn(Message{Raw: []byte(b.String())}, i%2 == 0)
		}
		if err := l.Save(); err != nil {
			t.Fatal(err)
		}
	}
	if got := files.size(); got > 4<<20 {
		t.Errorf("the files have %d bytes", got)
	}
	m, err := f.load(files)
	if err != nil {
		t.Fatal(err)
	}
	if got := len(m.table.words); got > 2*(maxWords+maxFresh) {
		t.Errorf("%d words are kept", got)
	}
	if f.bytes > 8<<20 {
		t.Errorf("%d bytes are kept in memory", f.bytes)
	}
}

func TestPruned(t *testing.T) {
	old := &table{}
	for i := range word(maxWords + 1000) {
		c := count{spam: 1, merge: 1}
		switch {
		case i < 10:
			c = count{spam: 90, ham: 90, merge: 1} // common
		case i < 20:
			c = count{ham: 1, merge: 9} // new
		case i < 30:
			c = count{spam: -3, merge: 9} // taken back
		}
		old.append(i, c)
	}
	got := old.pruned()
	if n := len(got.words); n > maxWords {
		t.Errorf("%d words are left", n)
	}
	for i := range word(30) {
		if _, ok := got.find(i); ok != (i < 20) {
			t.Errorf("word %d is left: %v", i, ok)
		}
	}
	if !slices.IsSorted(got.words) {
		t.Error("words are not sorted")
	}
}

func TestDamaged(t *testing.T) {
	f, good := New(1<<20), memory{}
	for i := range 80 {
		learn(t, f, good, i, 1)
	}
	for path, b := range good {
		for _, bad := range [][]byte{nil, b[:len(b)/2], append(bytes.Clone(b), b...), append([]byte{b[0] ^ 1}, b[1:]...)} {
			files := maps.Clone(good)
			files[path] = bad
			f := New(1 << 20)
			if _, err := f.Score(files, letter(1, true)); !errors.Is(err, ErrDamaged) && path != lessonsFile && len(bad) > 0 {
				t.Errorf("%s with %d bytes for %d: Score: %v, want %v", path, len(bad), len(b), err, ErrDamaged)
			}
			learn(t, f, files, 0, 30)
			if got := scoreOf(t, f, files, letter(100, true)); got < Surely {
				t.Errorf("%s damaged: after new lessons the score is %v", path, got)
			}
		}
	}
}

func TestPrefix(t *testing.T) {
	with := func(results string) Message {
		return Message{Prefix: []byte("Authentication-Results: mx.example.org; " + results + "\r\n"), Raw: []byte("\r\nhello")}
	}
	pass, fail := tokenize(with("dkim=pass header.d=example.org; spf=pass smtp.mailfrom=a@example.org")), tokenize(with("dkim=fail header.d=example.org; spf=none"))
	if slices.Equal(pass, fail) {
		t.Error("what is known of the sender makes no difference")
	}
	for _, token := range []string{"auth:spf=pass", "auth:dkim=pass example.org", "auth:spf=pass example.org"} {
		if !slices.Contains(pass, hashToken(token)) {
			t.Errorf("%s is not seen", token)
		}
	}
}

func TestConcurrent(t *testing.T) {
	f := New(200 << 10)
	users := make([]memory, 6)
	for i := range users {
		users[i] = memory{}
		learn(t, f, users[i], i*100, MinLessons+i)
	}
	var all sync.WaitGroup
	for i := range 4 {
		all.Go(func() {
			for j := range 24 {
				if s, err := f.Score(users[(i+j)%len(users)], letter(j, true)); err != nil || s < Surely {
					t.Errorf("score %v, %v", s, err)
				}
			}
		})
	}
	all.Wait()
}

func FuzzTokenize(f *testing.F) {
	f.Add([]byte("Authentication-Results: x; spf=pass\r\n"), letter(1, true).Raw)
	f.Add([]byte{}, []byte("Received: from a.b ([1.2.3.4])\r\nFrom: \"x\" <a@b>\r\nContent-Type: text/html\r\n\r\n<a href='http://u@h:1/p?q=%zz'>x</a> ://"))
	f.Fuzz(func(t *testing.T, prefix, raw []byte) {
		words := tokenize(Message{prefix, raw})
		if len(words) > maxTokens || !slices.IsSorted(words) || !slices.Equal(words, tokenize(Message{prefix, raw})) {
			t.Fatalf("%d words", len(words))
		}
	})
}

// FuzzFiles reads files that somebody else has written.
func FuzzFiles(f *testing.F) {
	good := memory{}
	learn(f, New(0), good, 0, 2)
	f.Add(good[stateFile], good[recentFile(0)], good[wordsFile(0)])
	f.Fuzz(func(t *testing.T, state, recent, words []byte) {
		files := memory{stateFile: state, recentFile(0): recent, wordsFile(0): words}
		filter := New(1 << 20)
		if s, err := filter.Score(files, letter(1, true)); err == nil && !(s >= 0 && s <= 1) {
			t.Fatalf("the score is %v", s)
		}
		learn(t, filter, files, 0, 1)
		if _, err := filter.Score(files, letter(1, true)); err != nil {
			t.Fatal(err)
		}
	})
}

func BenchmarkScore(b *testing.B) {
	f, files := New(1<<20), memory{}
	learn(b, f, files, 0, 200)
	m := letter(1000, true)
	for b.Loop() {
		scoreOf(b, f, files, m)
	}
}

// BenchmarkLoad reads the statistics of somebody who has taught much.
func BenchmarkLoad(b *testing.B) {
	f, files := New(8<<20), memory{}
	for i := range 10 {
		l, err := f.Teach(files)
		if err != nil {
			b.Fatal(err)
		}
		for j := range 5 {
			var s strings.Builder
			s.WriteString("\r\n")
			for k := range 4000 {
				fmt.Fprintf(&s, "w%d\r\n", (i*5+j)*4000+k)
			}
			l.Learn(Message{Raw: []byte(s.String())}, j%2 == 0)
		}
		if err := l.Save(); err != nil {
			b.Fatal(err)
		}
	}
	b.SetBytes(int64(files.size()))
	for b.Loop() {
		if _, err := New(0).load(files); err != nil {
			b.Fatal(err)
		}
	}
}
