package imap

import (
	"bytes"
	"compress/flate"
	"encoding/hex"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

func deflated(t testing.TB, level int, data []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := flate.NewWriter(&b, level)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(data); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestInflate(t *testing.T) {
	text := []byte(strings.Repeat("a FETCH 1:* (FLAGS)\r\nb NOOP\r\n", 5000))
	for i := range text {
		if i%97 == 0 {
			text[i] = byte(i * i)
		}
	}
	for level := -2; level <= 9; level++ {
		packed := deflated(t, level, text)
		for _, r := range []io.Reader{bytes.NewReader(packed), iotest.OneByteReader(bytes.NewReader(packed)), iotest.HalfReader(bytes.NewReader(packed))} {
			got, err := io.ReadAll(newInflater(r))
			if err != nil || !bytes.Equal(got, text) {
				t.Fatalf("level %d: got %d bytes, %v; want %d", level, len(got), err, len(text))
			}
		}
	}
}

// TestInflatePartialFlush reads what zlib makes of two lines with Z_SYNC_FLUSH and with Z_PARTIAL_FLUSH
// behind each: each line has to be there before the next comes.
func TestInflatePartialFlush(t *testing.T) {
	for _, packets := range [][]string{
		{"3256f073f4750d0e707476e5e502000000ffff", "3241e600000000ffff"},
		{"3256f073f4750d0e707476e5e50208", "2013640e40"},
	} {
		r := &script{}
		f := newInflater(r)
		for i, want := range []string{"3 NAMESPACE\r\n", "4 NAMESPACE\r\n"} {
			b, err := hex.DecodeString(packets[i])
			if err != nil {
				t.Fatal(err)
			}
			r.packets = append(r.packets, b)
			got := make([]byte, len(want))
			if _, err := io.ReadFull(f, got); err != nil || string(got) != want {
				t.Fatalf("%q: got %q, %v", packets, got, err)
			}
		}
	}
}

// A script hands out packets, and fails where a connection would wait.
type script struct{ packets [][]byte }

func (s *script) Read(p []byte) (int, error) {
	if len(s.packets) == 0 {
		return 0, errors.New("it waits")
	}
	n := copy(p, s.packets[0])
	if s.packets[0] = s.packets[0][n:]; len(s.packets[0]) == 0 {
		s.packets = s.packets[1:]
	}
	return n, nil
}

// FuzzInflate compares with compress/flate.
func FuzzInflate(f *testing.F) {
	for _, level := range []int{-2, 0, 1, 9} {
		f.Add(deflated(f, level, []byte(strings.Repeat("* 1 FETCH (FLAGS (\\Seen))\r\n", 20))))
	}
	f.Add([]byte{5, 0xff, 0xff})
	const most = 1 << 20
	f.Fuzz(func(t *testing.T, data []byte) {
		want, wantErr := io.ReadAll(io.LimitReader(flate.NewReader(bytes.NewReader(data)), most))
		got, err := io.ReadAll(io.LimitReader(newInflater(bytes.NewReader(data)), most))
		if (err == nil) != (wantErr == nil) {
			t.Fatalf("got %v, want %v", err, wantErr)
		}
		if err == nil && !bytes.Equal(got, want) {
			t.Fatalf("got %d bytes, want %d others", len(got), len(want))
		}
	})
}
