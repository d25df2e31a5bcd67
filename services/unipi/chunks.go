package unipi

// A chunkReader follows a chunked body (RFC 9112, section 7.1) to find its end,
// as strictly as parseHead. It changes nothing and keeps nothing.
type chunkReader struct {
	state chunkState
	left  int64 // of the chunk's data
	line  int   // bytes of the line or trailer section so far
	size  bool  // a digit of the size has been seen
}

type chunkState uint8

const (
	chunkSize chunkState = iota
	chunkExtension
	chunkSizeLF
	chunkData
	chunkDataCR
	chunkDataLF
	chunkTrailerStart
	chunkTrailer
	chunkTrailerLF
	chunkEndLF
	chunkDone
)

// Limits of chunked bodies: a size line with its extensions, and a trailer
// section, in bytes.
const (
	maxChunkLine    = 256
	maxChunkTrailer = 4 << 10
)

// advance follows b and returns how many of its bytes belong to the body;
// done reports that the body ends there.
func (c *chunkReader) advance(b []byte) (n int, done bool, err error) {
	for n < len(b) {
		if c.state == chunkData {
			skip := int(min(c.left, int64(len(b)-n)))
			c.left -= int64(skip)
			n += skip
			if c.left == 0 {
				c.state = chunkDataCR
			}
			continue
		}
		if err := c.step(b[n]); err != nil {
			return n, false, err
		}
		n++
		if c.state == chunkDone {
			*c = chunkReader{}
			return n, true, nil
		}
	}
	return n, false, nil
}

func (c *chunkReader) step(b byte) error {
	switch c.state {
	case chunkSize, chunkExtension:
		return c.sizeLine(b)
	case chunkSizeLF:
		if c.line, c.size = 0, false; c.left == 0 {
			return c.expect(b, '\n', chunkTrailerStart)
		}
		return c.expect(b, '\n', chunkData)
	case chunkDataCR:
		return c.expect(b, '\r', chunkDataLF)
	case chunkDataLF:
		return c.expect(b, '\n', chunkSize)
	case chunkTrailerStart:
		if b == '\r' {
			c.state = chunkEndLF
			return nil
		}
		c.state = chunkTrailer
		fallthrough
	case chunkTrailer:
		if c.line++; c.line > maxChunkTrailer || b == '\n' || b == 0 {
			return errHeadBad
		}
		if b == '\r' {
			c.state = chunkTrailerLF
		}
		return nil
	case chunkTrailerLF:
		return c.expect(b, '\n', chunkTrailerStart)
	default:
		return c.expect(b, '\n', chunkDone)
	}
}

// sizeLine follows "1a2b;name=value\r".
func (c *chunkReader) sizeLine(b byte) error {
	if c.line++; c.line > maxChunkLine {
		return errHeadBad
	}
	switch {
	case b == '\r' && c.size:
		c.state = chunkSizeLF
		return nil
	case b == ';' && c.size:
		c.state = chunkExtension
		return nil
	case c.state == chunkExtension && (b >= ' ' && b != 0x7f || b == '\t'):
		return nil
	case c.state == chunkExtension:
		return errHeadBad
	}
	digit := hexValue(b)
	if digit < 0 || c.left >= 1<<55 {
		return errHeadBad
	}
	c.left = c.left<<4 | int64(digit)
	c.size = true
	return nil
}

func (c *chunkReader) expect(b, want byte, next chunkState) error {
	if b != want {
		return errHeadBad
	}
	c.state = next
	return nil
}

func hexValue(b byte) int {
	switch {
	case b >= '0' && b <= '9':
		return int(b - '0')
	case b >= 'a' && b <= 'f':
		return int(b-'a') + 10
	case b >= 'A' && b <= 'F':
		return int(b-'A') + 10
	}
	return -1
}
