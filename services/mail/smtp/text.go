package smtp

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net/netip"
)

// A flaw is what is wrong with the bytes of a message.
type flaw int

const (
	noFlaw flaw = iota
	tooLarge
	noMemory
	bareCR
	bareLF
	hasNUL
	longLine
)

var flawReplies = map[flaw]reply{
	tooLarge: {code: 552, status: "5.3.4", text: []string{"the message is larger than this server takes"}},
	noMemory: {code: 452, status: "4.3.1", text: []string{"too many messages are being received: try again later"}},
	bareCR:   {code: 554, status: "5.6.0", text: []string{"the message has a CR without an LF: lines end with CR LF (RFC 5321 2.3.8)"}},
	bareLF:   {code: 554, status: "5.6.0", text: []string{"the message has an LF without a CR: lines end with CR LF (RFC 5321 2.3.8)"}},
	hasNUL:   {code: 554, status: "5.6.0", text: []string{"the message has a NUL byte, which needs BODY=BINARYMIME"}},
	longLine: {code: 554, status: "5.6.0", text: []string{"a line of the message is too long: encode it as quoted-printable or base64"}},
}

// errEndless ends a connection whose message, too large already, does not come to an end.
var errEndless = errors.New("the message has no end")

// A text is a message that is being received. Once it has a flaw it is read on, and
// nothing more of it is kept.
type text struct {
	limit  int64 // bytes of the message
	line   int   // bytes of a line
	binary bool  // anything goes (BINARYMIME)
	memory *budget
	from   netip.Prefix // whose share of it is taken

	bytes  []byte
	held   int64 // of memory
	seen   int64 // bytes
	flaw   flaw
	inLine int  // bytes of the line that has begun
	cr     bool // the last byte was CR
	within bool // what was last was not CR LF: here no line begins
}

// free gives the memory back.
func (t *text) free() {
	t.memory.give(t.held, t.from)
	t.held, t.bytes = 0, nil
}

// readData reads what follows DATA, up to its end, and takes doubled dots back (RFC 5321 §4.5.2).
func (t *text) readData(r *bufio.Reader) error {
	for {
		line, err := r.ReadSlice('\n')
		if err != nil && !errors.Is(err, bufio.ErrBufferFull) {
			return early(err)
		}
		if !t.within {
			if string(line) == ".\r\n" {
				return nil
			}
			if line[0] == '.' {
				line = line[1:]
			}
		}
		t.add(line)
		if t.seen > 2*t.limit+1<<20 {
			return errEndless
		}
	}
}

// readChunk reads the n bytes that follow BDAT.
func (t *text) readChunk(r *bufio.Reader, n int64) error {
	var buf [4096]byte
	for n > 0 {
		got, err := r.Read(buf[:min(n, int64(len(buf)))])
		t.add(buf[:got])
		n -= int64(got)
		if err != nil {
			return early(err)
		}
		if t.seen > 2*t.limit+1<<20 {
			return errEndless
		}
	}
	return nil
}

// early makes an end of the connection one that was not expected.
func early(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// finish says what is wrong now that no more comes.
func (t *text) finish() flaw {
	if t.cr && !t.binary {
		t.spoil(bareCR)
	}
	return t.flaw
}

func (t *text) add(p []byte) {
	t.seen += int64(len(p))
	if t.seen > t.limit {
		t.spoil(tooLarge)
	}
	if !t.binary {
		t.scan(p)
	}
	if t.flaw == noFlaw {
		t.keep(p)
	}
}

// spoil notes the first flaw.
func (t *text) spoil(f flaw) {
	if t.flaw == noFlaw {
		t.flaw = f
		t.free()
	}
}

// scan looks for what may not be in a text.
func (t *text) scan(p []byte) {
	if bytes.IndexByte(p, 0) >= 0 {
		t.spoil(hasNUL)
	}
	for len(p) > 0 {
		part, rest, ended := bytes.Cut(p, []byte{'\n'})
		if len(part) > 0 {
			if t.cr {
				t.spoil(bareCR)
			}
			t.cr = part[len(part)-1] == '\r'
			if i := bytes.IndexByte(part, '\r'); i >= 0 && i < len(part)-1 {
				t.spoil(bareCR)
			}
			t.within = true
		}
		if t.inLine += len(part); t.inLine > t.line+1 {
			t.spoil(longLine)
		}
		if ended {
			if !t.cr {
				t.spoil(bareLF)
			}
			t.within = !t.cr
			t.cr, t.inLine = false, 0
		}
		p = rest
	}
}

// keep appends, as far as there is memory.
func (t *text) keep(p []byte) {
	need := len(t.bytes) + len(p)
	if need > cap(t.bytes) {
		size := max(min(2*cap(t.bytes), int(t.limit)), need, 8<<10)
		if !t.memory.take(int64(size), t.from) {
			t.spoil(noMemory)
			return
		}
		old := t.held
		grown := make([]byte, len(t.bytes), size)
		copy(grown, t.bytes)
		t.bytes, t.held = grown, int64(size)
		t.memory.give(old, t.from)
	}
	t.bytes = append(t.bytes, p...)
}
