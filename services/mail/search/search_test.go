package search

import (
	"bytes"
	"context"
	"crypto/sha1"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

// mails are messages of about 4 KB in words that nobody speaks, some common, most rare.
func mails(n int) (keys []Key, read Read, reads *atomic.Int64) {
	vocabulary := words(20_000)
	common := rand.NewZipf(rand.New(rand.NewPCG(1, 2)), 1.1, 5, uint64(len(vocabulary)-1))
	byKey := map[Key][]byte{}
	for i := range n {
		var b bytes.Buffer
		fmt.Fprintf(&b, "From: %s <%s@example.org>\r\nTo: alice@example.com\r\nMessage-ID: <%d@example.org>\r\nSubject:", vocabulary[i%97], vocabulary[i%97], i)
		for range 6 {
			b.WriteString(" " + vocabulary[common.Uint64()])
		}
		b.WriteString("\r\n\r\n")
		for line := b.Len(); b.Len() < 4000; {
			b.WriteString(vocabulary[common.Uint64()] + " ")
			if b.Len()-line > 70 {
				b.WriteString("\r\n")
				line = b.Len()
			}
		}
		key := Key(sha1.Sum(b.Bytes()))
		keys, byKey[key] = append(keys, key), b.Bytes()
	}
	reads = &atomic.Int64{}
	return keys, func(_ context.Context, key Key) ([]byte, error) {
		reads.Add(1)
		raw, ok := byKey[key]
		if !ok {
			return nil, fs.ErrNotExist
		}
		return raw, nil
	}, reads
}

// words are made of letters as frequent as in English.
func words(n int) []string {
	dice := rand.New(rand.NewPCG(3, 4))
	const consonants, vowels = "tttttnnnnnssssshhhhrrrrrdddlllccmmwffggyppbbvkjxqz", "eeeeeeaaaaoooiiiu"
	list := make([]string, n)
	for i := range list {
		var w []byte
		for range 1 + dice.IntN(4) {
			w = append(w, consonants[dice.IntN(len(consonants))], vowels[dice.IntN(len(vowels))])
			if dice.IntN(3) == 0 {
				w = append(w, consonants[dice.IntN(len(consonants))])
			}
		}
		list[i] = string(w)
	}
	return list
}

const letter = "From: =?utf-8?Q?J=C3=BCrgen?= <juergen@example.org>\r\n" +
	"To: Alice <alice@example.com>\r\nSubject: =?utf-8?B?R3LDvMOfZSBhdXMgS8O2bG4=?=\r\nX-Odd:\r\n" +
	"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/html; charset=iso-8859-1\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n" +
	"<p>Sch=F6ne Gr=FC=DFe, <b>und</b>\r\n  bis   bald\r\n--b\r\nContent-Type: application/pdf; name=\"Rechnung 17.pdf\"\r\nContent-Transfer-Encoding: base64\r\n\r\nSGlkZGVu\r\n--b--\r\n"

func TestMatch(t *testing.T) {
	for _, c := range []struct {
		q    Query
		want bool
	}{
		{Query{Value: "SCHÖNE GRÜ"}, true},
		{Query{Value: "und bis bald"}, true},
		{Query{Value: "und  \n BIS"}, true},
		{Query{Value: "rechnung 17"}, true},
		{Query{Value: "hidden"}, false},
		{Query{Value: "SGlk"}, false},
		{Query{Value: "köln"}, true},
		{Query{Value: "koln"}, false},
		{Query{Value: "gru\u0308"}, true},
		{Query{Value: "ﬁ"}, false},
		{Query{Value: ""}, true},
		{Query{In: Body, Value: "Köln"}, false},
		{Query{In: Body, Value: "grüße"}, true},
		{Query{In: Field, Name: "Subject", Value: "KÖLN"}, true},
		{Query{In: Field, Name: "subject", Value: "alice"}, false},
		{Query{In: Field, Name: "from", Value: "jürgen <jue"}, true},
		{Query{In: Field, Name: "x-odd", Value: ""}, true},
		{Query{In: Field, Name: "x-absent", Value: ""}, false},
		{Query{In: Field, Name: "x-odd", Value: "x"}, false},
	} {
		if got := c.q.Match([]byte(letter)); got != c.want {
			t.Errorf("%+v matches: %v, want %v", c.q, got, c.want)
		}
		x := New(0)
		key := Key{1}
		x.Add(key, []byte(letter))
		for range 2 {
			found, err := x.Find(t.Context(), c.q, []Key{key}, func(context.Context, Key) ([]byte, error) { return []byte(letter), nil })
			if err != nil || found[0] != c.want {
				t.Errorf("%+v is found: %v, %v, want %v", c.q, found, err, c.want)
			}
		}
	}
}

func TestFold(t *testing.T) {
	for in, want := range map[string]string{
		"":                  "",
		"Hello\r\n\t World": "hello world",
		"É":                 "e\u0301",
		"ΣΊΣΥΦΟΣ ς":         "σι\u0301συφοσ σ",
		"ﬁ ſ K":             "fi s k",
		"a\u00a0\u2003b":    "a b",
		"a\xff":             "a\uFFFD",
	} {
		if got := Fold(in); got != want {
			t.Errorf("Fold(%q) = %q, want %q", in, got, want)
		}
	}
}

// TestFind compares with looking at each message, and counts what is read.
func TestFind(t *testing.T) {
	keys, read, reads := mails(400)
	x := New(16 << 20)
	vocabulary := words(20_000)
	queries := []Query{{Value: "ab"}, {In: Field, Name: "from", Value: vocabulary[5] + "@"}, {In: Field, Name: "Message-ID", Value: "<17@"}, {Value: "nosuchword"}, {In: Body, Value: vocabulary[3] + " " + vocabulary[0]}}
	for i := 0; i < 8000; i += 800 {
		queries = append(queries, Query{In: Where(i / 800 % 2), Value: vocabulary[i]})
	}
	if _, err := x.Find(t.Context(), queries[0], keys, read); err != nil {
		t.Fatal(err)
	}
	if got, want := x.Len(), len(keys); got != want {
		t.Fatalf("the index knows %d messages, want %d", got, want)
	}
	var wrong, ruled int
	for _, q := range queries {
		var want []bool
		hits := 0
		for _, key := range keys {
			raw, _ := read(t.Context(), key)
			want = append(want, q.Match(raw))
			if want[len(want)-1] {
				hits++
			}
		}
		reads.Store(0)
		got, err := x.Find(t.Context(), q, keys, read)
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("%+v: not what looking at each message gives (%v)", q, err)
		}
		if len(q.Value) >= 5 {
			wrong += int(reads.Load()) - hits
			ruled += len(keys) - hits
		}
	}
	t.Logf("%d bytes of index a message; of messages that do not match, %.2f%% were read", x.Bytes()/len(keys), 100*float64(wrong)/float64(ruled))
	if wrong*10 > 3*ruled {
		t.Errorf("%d of %d messages were read for nothing", wrong, ruled)
	}
}

func TestFindErrors(t *testing.T) {
	keys, read, _ := mails(20)
	x := New(0)
	broken := errors.New("broken")
	_, err := x.Find(t.Context(), Query{Value: "abc"}, keys, func(context.Context, Key) ([]byte, error) { return nil, broken })
	if !errors.Is(err, broken) {
		t.Errorf("Find: %v, want %v", err, broken)
	}
	found, err := x.Find(t.Context(), Query{In: Field, Name: "from"}, append([]Key{{}}, keys...), read)
	if err != nil || found[0] || !found[1] {
		t.Errorf("Find with a message that is gone: %v, %v", found, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := x.Find(ctx, Query{Value: "ab"}, keys, read); !errors.Is(err, context.Canceled) {
		t.Errorf("Find after the end: %v, want %v", err, context.Canceled)
	}
}

func TestIndexIsBounded(t *testing.T) {
	keys, read, reads := mails(1000)
	x := New(256 << 10)
	for range 3 {
		if _, err := x.Find(t.Context(), Query{Value: "nosuchword"}, keys, read); err != nil {
			t.Fatal(err)
		}
		if got := x.Bytes(); got > 256<<10 {
			t.Errorf("the index has %d bytes", got)
		}
	}
	reads.Store(0)
	if _, err := x.Find(t.Context(), Query{Value: "nosuchword"}, keys, read); err != nil {
		t.Fatal(err)
	}
	if reads.Load() == int64(len(keys)) {
		t.Error("an index that is too small is of no use at all")
	}
}

func TestConcurrent(t *testing.T) {
	keys, read, _ := mails(300)
	x := New(256 << 10)
	want := make([]bool, len(keys))
	q := Query{Value: words(20_000)[40]}
	for i, key := range keys {
		raw, _ := read(t.Context(), key)
		want[i] = q.Match(raw)
	}
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			got, err := x.Find(t.Context(), q, keys[i*10:], read)
			if err != nil || !slices.Equal(got, want[i*10:]) {
				t.Errorf("search %d: wrong answer, %v", i, err)
			}
			if err := x.Load(bytes.NewReader(saved(t, x))); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
}

func saved(t testing.TB, x *Index) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := x.Save(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestSave(t *testing.T) {
	keys, read, reads := mails(200)
	x := New(1 << 20)
	q := Query{Value: "nosuchword"}
	if _, err := x.Find(t.Context(), q, keys, read); err != nil {
		t.Fatal(err)
	}
	b := saved(t, x)
	y := New(1 << 20)
	if err := y.Load(bytes.NewReader(b)); err != nil || y.Len() != len(keys) {
		t.Fatalf("Load: %v, %d messages, want %d", err, y.Len(), len(keys))
	}
	reads.Store(0)
	if _, err := y.Find(t.Context(), q, keys, read); err != nil || reads.Load() > int64(len(keys))/2 {
		t.Errorf("%d messages were read after Load, %v", reads.Load(), err)
	}
	for i := 0; i < len(b); i += 1 + len(b)/300 {
		bad := bytes.Clone(b)
		bad[i] ^= 4
		z := New(1 << 20)
		if err := z.Load(bytes.NewReader(bad)); !errors.Is(err, ErrDamaged) || z.Len() != 0 {
			t.Fatalf("Load with byte %d changed: %v, %d messages", i, err, z.Len())
		}
		if err := z.Load(bytes.NewReader(b[:i])); !errors.Is(err, ErrDamaged) || z.Len() != 0 {
			t.Fatalf("Load of the first %d bytes: %v, %d messages", i, err, z.Len())
		}
	}
	if err := New(1).Load(bytes.NewReader(slices.Repeat(b, 2))); err != nil {
		t.Errorf("Load does not stop at the end: %v", err)
	}
}

func FuzzLoad(f *testing.F) {
	x := New(0)
	x.Add(Key{1}, []byte(letter))
	f.Add(saved(f, x))
	f.Add([]byte(magic))
	f.Fuzz(func(t *testing.T, b []byte) {
		x := New(0)
		if err := x.Load(bytes.NewReader(b)); err == nil && !bytes.HasPrefix(b, []byte(magic)) {
			t.Fatalf("loaded %q", b)
		}
		x.Find(t.Context(), Query{Value: "nosuchword"}, []Key{{1}}, func(context.Context, Key) ([]byte, error) { return []byte(letter), nil })
	})
}

// FuzzSignature makes sure that a signature never rules out a message that matches.
func FuzzSignature(f *testing.F) {
	f.Add([]byte(letter), 3, 9)
	f.Add([]byte("\n\xc3\x84\xcc\x88 ab\xe1\xba\x9e\xef\xac\x81"), 0, 7)
	f.Fuzz(func(t *testing.T, raw []byte, from, n int) {
		d := &document{raw: raw}
		s := sign(d)
		for where, text := range []string{d.header(), d.body()} {
			from = max(0, min(from, len(text)))
			value := text[from:min(len(text), from+max(0, min(n, 1000)))]
			q := Query{In: Where(where), Value: strings.ToValidUTF8(value, "")}
			if q.Match(raw) && !s.may(q.probes()) {
				t.Fatalf("%+v matches and is ruled out", q)
			}
		}
		for name := range salts {
			for _, v := range d.fields(name) {
				if q := (Query{In: Field, Name: name, Value: v}); q.Match(raw) && !s.may(q.probes()) {
					t.Fatalf("%+v matches and is ruled out", q)
				}
			}
		}
	})
}

// BenchmarkFind measures a search of 100,000 messages that the index knows; reading
// them costs nothing here.
func BenchmarkFind(b *testing.B) {
	keys, read, reads := mails(10_000)
	x := New(256 << 20)
	for i := range 9 { // the same messages under other names
		for _, key := range keys[:10_000] {
			raw, _ := read(b.Context(), key)
			key[0] ^= byte(i + 1)
			x.Add(key, raw)
			keys = append(keys, key)
		}
	}
	any := func(ctx context.Context, key Key) ([]byte, error) {
		raw, err := read(ctx, key)
		for i := 1; err != nil; i++ {
			other := key
			other[0] ^= byte(i)
			raw, err = read(ctx, other)
		}
		return raw, nil
	}
	x.Find(b.Context(), Query{Value: "nosuchword"}, keys, any)
	vocabulary := words(20_000)
	for _, value := range []string{"nosuchword", vocabulary[5000], vocabulary[200]} {
		b.Run(value, func(b *testing.B) {
			reads.Store(0)
			hits := 0
			for b.Loop() {
				found, err := x.Find(b.Context(), Query{Value: value}, keys, any)
				if err != nil {
					b.Fatal(err)
				}
				hits = 0
				for _, f := range found {
					if f {
						hits++
					}
				}
			}
			b.ReportMetric(float64(hits), "hits")
			b.ReportMetric(float64(x.Bytes())/float64(x.Len()), "B/message")
		})
	}
}

func BenchmarkAdd(b *testing.B) {
	keys, read, _ := mails(100)
	var raws [][]byte
	for _, key := range keys {
		raw, _ := read(b.Context(), key)
		raws = append(raws, raw)
	}
	b.SetBytes(int64(len(raws[0])))
	for i := 0; b.Loop(); i++ {
		sign(&document{raw: raws[i%len(raws)]})
	}
}
