package stack

import (
	"io"
	"sync"
)

// copySize is the size of what bulk copies carry at once, in bytes: several of
// the largest segments.
const copySize = 256 << 10

var copyBuffers = sync.Pool{New: func() any { return new([copySize]byte) }}

// ReadFrom sends all that r has, in large pieces. The error is r's, or that of
// sending.
func (c *Conn) ReadFrom(r io.Reader) (total int64, err error) {
	buf := copyBuffers.Get().(*[copySize]byte)
	defer copyBuffers.Put(buf)
	for {
		n, readErr := r.Read(buf[:])
		if n > 0 {
			sent, err := c.Write(buf[:n])
			total += int64(sent)
			if err != nil {
				return total, err
			}
		}
		if readErr == io.EOF {
			return total, nil
		}
		if readErr != nil {
			return total, readErr
		}
	}
}

// WriteTo writes all that arrives to w, in large pieces. The error is w's, or that of
// receiving.
func (c *Conn) WriteTo(w io.Writer) (total int64, err error) {
	buf := copyBuffers.Get().(*[copySize]byte)
	defer copyBuffers.Put(buf)
	for {
		n, err := c.Read(buf[:])
		if err == io.EOF {
			return total, nil
		}
		if err != nil {
			return total, err
		}
		written, err := w.Write(buf[:n])
		total += int64(written)
		if err != nil {
			return total, err
		}
		if written < n {
			return total, io.ErrShortWrite
		}
	}
}
