package gitwire

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
)

// Sizes of pkt-lines in bytes (gitprotocol-common, "pkt-line Format").
const (
	pktMax        = 65520      // a whole line with its four digits of length
	pktPayloadMax = pktMax - 4 // what follows the digits
)

// A pktKind tells data from the three lines that have no payload.
type pktKind byte

const (
	pktData  pktKind = iota
	pktFlush         // 0000
	pktDelim         // 0001
	pktEnd           // 0002
)

// errPktLength says that four bytes were no length a pkt-line may have.
var errPktLength = errors.New("malformed pkt-line length")

// A pktReader reads pkt-lines one at a time in constant memory.
type pktReader struct {
	r   *bufio.Reader
	buf []byte
}

func newPktReader(r io.Reader) *pktReader {
	return &pktReader{r: bufio.NewReaderSize(r, 64<<10)}
}

// next returns the next line. The payload is valid until the following call.
// The error is io.EOF when the stream ends between two lines,
// io.ErrUnexpectedEOF when it ends within one, and a requestError when the
// length is malformed.
func (p *pktReader) next() (pktKind, []byte, error) {
	var digits [4]byte
	if _, err := io.ReadFull(p.r, digits[:]); err != nil {
		return 0, nil, err
	}
	n, err := pktLength(digits)
	if err != nil {
		return 0, nil, err
	}
	if n < 4 {
		return pktFlush + pktKind(n), nil, nil
	}
	n -= 4
	if cap(p.buf) < n {
		p.buf = make([]byte, max(n, 1024))
	}
	payload := p.buf[:n]
	if _, err := io.ReadFull(p.r, payload); err != nil {
		if err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		return 0, nil, err
	}
	return pktData, payload, nil
}

// text is next for lines of text: one newline at the end is cut off.
func (p *pktReader) text() (pktKind, string, error) {
	kind, line, err := p.next()
	return kind, string(bytes.TrimSuffix(line, []byte("\n"))), err
}

// rest reads what follows the last line, such as a pack.
func (p *pktReader) rest() io.Reader { return p.r }

// pktLength decodes the digits: 0, 1 and 2 are the special lines, 3 is refused.
func pktLength(digits [4]byte) (int, error) {
	n := 0
	for _, c := range digits {
		switch {
		case '0' <= c && c <= '9':
			n = n<<4 | int(c-'0')
		case 'a' <= c && c <= 'f':
			n = n<<4 | int(c-'a'+10)
		case 'A' <= c && c <= 'F':
			n = n<<4 | int(c-'A'+10)
		default:
			return 0, fmt.Errorf("%w %q", errPktLength, digits[:])
		}
	}
	if n == 3 || n > pktMax {
		return 0, fmt.Errorf("%w %q", errPktLength, digits[:])
	}
	return n, nil
}

// appendPktLength appends the four digits for a line of n bytes in all.
func appendPktLength(dst []byte, n int) []byte {
	const hex = "0123456789abcdef"
	return append(dst, hex[n>>12&15], hex[n>>8&15], hex[n>>4&15], hex[n&15])
}

// A pktWriter gathers pkt-lines and writes them when flushed. The first error
// sticks; send returns it.
type pktWriter struct {
	w   io.Writer
	buf []byte
	err error
}

func newPktWriter(w io.Writer) *pktWriter { return &pktWriter{w: w} }

// line adds one line of data.
func (p *pktWriter) line(payload string) {
	if len(payload) > pktPayloadMax {
		if p.err == nil {
			p.err = fmt.Errorf("pkt-line of %d bytes is too long", len(payload))
		}
		return
	}
	p.buf = appendPktLength(p.buf, len(payload)+4)
	p.buf = append(p.buf, payload...)
}

// linef adds one line of text. The caller ends the format with a newline.
func (p *pktWriter) linef(format string, args ...any) { p.line(fmt.Sprintf(format, args...)) }

func (p *pktWriter) flush() { p.buf = append(p.buf, "0000"...) }
func (p *pktWriter) delim() { p.buf = append(p.buf, "0001"...) }

// send writes what has been gathered.
func (p *pktWriter) send() error {
	if p.err == nil && len(p.buf) > 0 {
		_, p.err = p.w.Write(p.buf)
	}
	p.buf = p.buf[:0]
	return p.err
}
