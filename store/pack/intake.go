package pack

import (
	"bufio"
	"context"
	"crypto/sha1"
	"fmt"
	"hash"
	"hash/crc32"
	"io"
	"sync"
)

// An intake reads a pack from a stream, never past what is asked for, and copies
// it to the spool. It is a bufio.Reader because that is what zlib reads
// fastest; this one is filled from the buffer of the stream's own, of which
// only as much is discarded as has been taken here.
type intake struct {
	*bufio.Reader
	fill filler
}

// A filler fills an intake. The intake asks for more only when it is empty.
type filler struct {
	ctx   context.Context
	r     *bufio.Reader
	spool io.WriterAt
	max   int64
	err   error // from the spool or the limit: r is fine

	lent    int    // bytes in r's buffer that the intake has got
	pending []byte // what the intake has got and is not in the spool
	spooled int64

	summed int // bytes of pending that are in sum
	sum    hash.Hash
	sealed bool // the trailer has been reached, which is not summed

	crcFrom int // where in pending the entry's CRC has come to
	crc     uint32
}

// intakeBytes is how much an intake takes at a time.
const intakeBytes = 16 << 10

var intakes = sync.Pool{New: func() any { return bufio.NewReaderSize(nil, intakeBytes) }}

func newIntake(ctx context.Context, r *bufio.Reader, spool io.WriterAt, max int64) *intake {
	in := &intake{Reader: intakes.Get().(*bufio.Reader)}
	in.fill = filler{ctx: ctx, r: r, spool: spool, max: max, sum: sha1.New()}
	in.Reset(&in.fill)
	return in
}

func (in *intake) free() {
	in.Reset(nil)
	intakes.Put(in.Reader)
}

// taken is how many bytes of pending have been taken from the intake.
func (in *intake) taken() int { return len(in.fill.pending) - in.Buffered() }

func (in *intake) offset() int64 { return in.fill.spooled + int64(in.taken()) }

// Read implements io.Reader. All that it returned before has been taken.
func (f *filler) Read(p []byte) (int, error) {
	if f.err == nil {
		f.err = f.more()
	}
	if f.err != nil {
		return 0, f.err
	}
	ready, _ := f.r.Peek(min(len(p), f.r.Buffered()))
	f.lent = copy(p, ready)
	f.pending = append(f.pending, ready...)
	return f.lent, nil
}

// more accounts for what was lent and waits until there is more in r's buffer.
func (f *filler) more() error {
	f.r.Discard(f.lent)
	f.lent = 0
	if len(f.pending) >= flushAt {
		if err := f.flush(len(f.pending)); err != nil {
			return err
		}
	}
	if err := f.ctx.Err(); err != nil {
		return err
	}
	if f.spooled+int64(len(f.pending)) > f.max {
		return fmt.Errorf("pack of more than %d bytes: %w", f.max, ErrTooLarge)
	}
	if _, err := f.r.Peek(1); err != nil {
		return noEOF(err)
	}
	return nil
}

// flush writes the first n bytes of pending, the last of all or all there are, to the spool.
func (f *filler) flush(n int) error {
	f.addCRC(n)
	f.addSum(n)
	if _, err := f.spool.WriteAt(f.pending[:n], f.spooled); err != nil {
		return fmt.Errorf("spool pack: %w", err)
	}
	f.spooled += int64(n)
	f.pending, f.summed, f.crcFrom = f.pending[:0], 0, 0
	return nil
}

func (f *filler) addCRC(to int) {
	f.crc = crc32.Update(f.crc, crc32.IEEETable, f.pending[f.crcFrom:to])
	f.crcFrom = to
}

func (f *filler) addSum(to int) {
	if !f.sealed {
		f.sum.Write(f.pending[f.summed:to])
		f.summed = to
	}
}

// beginEntry starts a CRC at the next byte; endEntry returns it.
func (in *intake) beginEntry() {
	in.fill.crc, in.fill.crcFrom = 0, in.taken()
}

func (in *intake) endEntry() uint32 {
	in.fill.addCRC(in.taken())
	return in.fill.crc
}

// trailer takes the checksum, which it does not sum, compares it, and leaves the
// stream behind the pack.
func (in *intake) trailer() (sum Hash, err error) {
	in.fill.addSum(in.taken())
	in.fill.sealed = true
	in.fill.sum.Sum(sum[:0])
	var want Hash
	if _, err := io.ReadFull(in, want[:]); err != nil {
		return sum, noEOF(err)
	}
	if want != sum {
		return sum, formatError("checksum is %s, not %s", sum, want)
	}
	left := in.Buffered()
	in.fill.r.Discard(in.fill.lent - left)
	in.Discard(left)
	return sum, in.fill.flush(len(in.fill.pending) - left)
}
