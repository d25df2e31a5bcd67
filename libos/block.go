package libos

import "io"

// A Block is a disk, or what stands for one: bytes of a fixed number that stay.
// Offsets and lengths may be any; whole blocks of BlockSize cost least. All may be called
// from several goroutines; a read that overlaps a write sees, block by block, the
// old bytes or the new ones.
type Block interface {
	// ReadAt fills p from off. At the end of the disk it returns what there is, and
	// io.EOF.
	io.ReaderAt
	// WriteAt writes all of p, or returns an error that says why it did not: for a
	// disk that is only read, fs.ErrPermission. A disk does not grow: what would reach
	// beyond its end is not written at all. What was written outlives a loss of power
	// after the next Sync.
	io.WriterAt
	// Sync returns when all that was written before it is there to stay. When it has failed
	// once it always does.
	Sync() error
	// Size is the size of the disk in bytes.
	Size() int64
	// BlockSize is in how many bytes at a time the disk is read and written, a
	// power of two; Size is a multiple of it, except where a file stands for a disk.
	BlockSize() int
	// ReadOnly reports whether WriteAt is refused.
	ReadOnly() bool
	// Close ends what is under way. After it the others return fs.ErrClosed.
	Close() error
}
