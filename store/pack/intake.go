package pack

import (
	"bufio"
	"context"
	"crypto/sha1"
	"fmt"
	"hash"
	"hash/crc32"
	"io"
)

// An intake reads a pack from a stream byte by byte, never past what is asked
// for, and copies it to the spool.
type intake struct {
	ctx   context.Context
	r     *bufio.Reader
	spool io.WriterAt
	max   int64

	buf     []byte // r's buffer, as far as it is filled
	pos     int    // of the next byte in buf
	crcFrom int    // where in buf the entry's CRC has come to
	crc     uint32
	off     int64 // of buf[0] in the pack
	sum     hash.Hash
	err     error // from the spool or the limit: r is fine

	pending []byte // not written to the spool yet
	spooled int64
}

func newIntake(ctx context.Context, r *bufio.Reader, spool io.WriterAt, max int64) *intake {
	return &intake{ctx: ctx, r: r, spool: spool, max: max, sum: sha1.New()}
}

func (in *intake) offset() int64 { return in.off + int64(in.pos) }

// settle accounts for what has been taken from buf.
func (in *intake) settle() error {
	taken := in.buf[:in.pos]
	in.crc = crc32.Update(in.crc, crc32.IEEETable, taken[in.crcFrom:])
	in.sum.Write(taken)
	in.pending = append(in.pending, taken...)
	in.off += int64(in.pos)
	in.r.Discard(in.pos)
	in.buf, in.pos, in.crcFrom = in.buf[in.pos:], 0, 0
	if len(in.pending) >= flushAt {
		return in.flush()
	}
	return nil
}

func (in *intake) flush() error {
	n, err := in.spool.WriteAt(in.pending, in.spooled)
	if err != nil {
		return fmt.Errorf("spool pack: %w", err)
	}
	in.spooled += int64(n)
	in.pending = in.pending[:0]
	return nil
}

func (in *intake) fill() error {
	if in.err != nil {
		return in.err
	}
	if in.err = in.settle(); in.err != nil {
		return in.err
	}
	if in.err = in.ctx.Err(); in.err != nil {
		return in.err
	}
	if in.off > in.max {
		in.err = fmt.Errorf("pack of more than %d bytes: %w", in.max, ErrTooLarge)
		return in.err
	}
	if _, err := in.r.Peek(1); err != nil {
		in.err = noEOF(err)
		return in.err
	}
	in.buf, _ = in.r.Peek(in.r.Buffered())
	return nil
}

func (in *intake) ReadByte() (byte, error) {
	if in.pos == len(in.buf) {
		if err := in.fill(); err != nil {
			return 0, err
		}
	}
	c := in.buf[in.pos]
	in.pos++
	return c, nil
}

func (in *intake) Read(p []byte) (int, error) {
	if in.pos == len(in.buf) {
		if err := in.fill(); err != nil {
			return 0, err
		}
	}
	n := copy(p, in.buf[in.pos:])
	in.pos += n
	return n, nil
}

// beginEntry starts a CRC at the next byte; endEntry returns it.
func (in *intake) beginEntry() {
	in.crc, in.crcFrom = 0, in.pos
}

func (in *intake) endEntry() uint32 {
	in.crc = crc32.Update(in.crc, crc32.IEEETable, in.buf[in.crcFrom:in.pos])
	in.crcFrom = in.pos
	return in.crc
}

// trailer takes the checksum, which it does not sum, and compares it.
func (in *intake) trailer() (sum Hash, err error) {
	if err := in.settle(); err != nil {
		return sum, err
	}
	in.sum.Sum(sum[:0])
	var want Hash
	if _, err := io.ReadFull(in, want[:]); err != nil {
		return sum, noEOF(err)
	}
	if want != sum {
		return sum, formatError("checksum is %s, not %s", sum, want)
	}
	if err := in.settle(); err != nil {
		return sum, err
	}
	return sum, in.flush()
}
