package gitwire

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestPktReader(t *testing.T) {
	long := strings.Repeat("x", pktPayloadMax)
	for _, test := range []struct {
		in    string
		lines []string
		err   error
	}{
		{"", nil, io.EOF},
		{"0006a\n0005b0004", []string{"a", "b", ""}, io.EOF},
		{"000000010002", []string{"<0>", "<1>", "<2>"}, io.EOF},
		{"000Aabcdef000aABCDEF", []string{"abcdef", "ABCDEF"}, io.EOF},
		{"fff0" + long, []string{long}, io.EOF},
		{"fff1" + long + "x", nil, errPktLength},
		{"ffff", nil, errPktLength},
		{"0003", nil, errPktLength},
		{"-001", nil, errPktLength},
		{"+005a", nil, errPktLength},
		{" 005a", nil, errPktLength},
		{"00 5a", nil, errPktLength},
		{"GET / HTTP/1.1", nil, errPktLength},
		{"000", nil, io.ErrUnexpectedEOF},
		{"0005", nil, io.ErrUnexpectedEOF},
		{"0008abc", nil, io.ErrUnexpectedEOF},
	} {
		var lines []string
		r := newPktReader(iotestOneByte(test.in))
		for {
			kind, line, err := r.text()
			if err != nil {
				if !errors.Is(err, test.err) {
					t.Errorf("%.40q: error got %v, want %v", test.in, err, test.err)
				}
				break
			}
			if kind != pktData {
				line = "<" + string('0'+rune(kind-pktFlush)) + ">"
			}
			lines = append(lines, line)
		}
		if got, want := strings.Join(lines, "|"), strings.Join(test.lines, "|"); got != want {
			t.Errorf("%.40q: got %.80q, want %.80q", test.in, got, want)
		}
	}
}

// iotestOneByte hands out a string in pieces of a byte.
func iotestOneByte(s string) io.Reader { return oneByte{strings.NewReader(s)} }

type oneByte struct{ r io.Reader }

func (o oneByte) Read(p []byte) (int, error) { return o.r.Read(p[:min(1, len(p))]) }

func TestPktWriter(t *testing.T) {
	var out bytes.Buffer
	w := newPktWriter(&out)
	w.line("a\n")
	w.delim()
	w.linef("%d", 12)
	w.flush()
	if out.Len() > 0 {
		t.Errorf("before send: got %q", &out)
	}
	if err := w.send(); err != nil || out.String() != "0006a\n00010006120000" {
		t.Errorf("got %q, %v", &out, err)
	}
	w.line(strings.Repeat("x", pktPayloadMax+1))
	if err := w.send(); err == nil {
		t.Error("a line that is too long: got no error")
	}
}

func TestSideband(t *testing.T) {
	for _, test := range []struct {
		old   bool
		lines int
	}{{true, 101}, {false, 2}} {
		var out bytes.Buffer
		s := newSideband(&out, test.old)
		data := bytes.Repeat([]byte("0123456789"), 9951)
		if n, err := s.band(bandData).Write(data); n != len(data) || err != nil {
			t.Fatalf("write: got %d, %v", n, err)
		}
		io.WriteString(s.band(bandProgress), "half way\n")
		s.write(bandData, nil)
		s.flush()
		var got, progress []byte
		lines := 0
		r := newPktReader(&out)
		for {
			kind, line, err := r.next()
			if err != nil {
				t.Fatal(err)
			}
			if kind == pktFlush {
				break
			}
			switch line[0] {
			case bandData:
				lines++
				got = append(got, line[1:]...)
			case bandProgress:
				progress = append(progress, line[1:]...)
			}
		}
		if !bytes.Equal(got, data) || lines != test.lines+1 || string(progress) != "half way\n" {
			t.Errorf("old=%v: got %d bytes in %d lines, progress %q", test.old, len(got), lines, progress)
		}
	}
}

// TestKeepAlive lets ten quiet seconds pass, then ten in which something is sent.
func TestKeepAlive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		s := newSideband(&out, false)
		s.write(bandProgress, []byte("x"))
		stop := s.keepAlive(5 * time.Second)
		time.Sleep(11 * time.Second)
		for range 10 {
			s.write(bandProgress, []byte("x"))
			time.Sleep(time.Second)
		}
		stop()
		if got, want := out.String(), "0006\x02x"+"0005\x01"+"0005\x01"+strings.Repeat("0006\x02x", 10); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	})
}

func FuzzPktLine(f *testing.F) {
	for _, s := range []string{"", "0000", "0006a\n0000", "0003", "fff0", "ffff", "0001000200050004", "000Aabcdef"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		var out bytes.Buffer
		w := newPktWriter(&out)
		r := newPktReader(bytes.NewReader(in))
		read := 0
		for {
			kind, line, err := r.next()
			if err != nil {
				break
			}
			read += 4 + len(line)
			switch kind {
			case pktData:
				w.line(string(line))
			case pktFlush:
				w.flush()
			case pktDelim:
				w.delim()
			case pktEnd:
				w.buf = append(w.buf, "0002"...)
			}
		}
		if err := w.send(); err != nil && read > 0 {
			t.Fatal(err)
		}
		if got, want := strings.ToLower(out.String()), strings.ToLower(string(in[:read])); got != want {
			t.Errorf("written again: got %q, want %q", got, want)
		}
	})
}
