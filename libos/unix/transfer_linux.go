package unix

import (
	"encoding/binary"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"

	"cairn/libos"
)

// headerSize is the size of a struct virtio_net_hdr, in bytes.
const headerSize = 10

// A transfer is one readv or writev of a header and a frame. It is kept, with
// the functions that the runtime's poller calls, so that none is made for each frame.
type transfer struct {
	head  [headerSize]byte
	iov   []unix.Iovec
	n     int
	errno syscall.Errno

	readv, writev func(fd uintptr) (done bool)
}

func (x *transfer) init() {
	x.readv = func(fd uintptr) bool { return x.do(unix.SYS_READV, fd) }
	x.writev = func(fd uintptr) bool { return x.do(unix.SYS_WRITEV, fd) }
	x.iov = make([]unix.Iovec, 0, 8)
}

// reset leaves only the header.
func (x *transfer) reset() {
	clear(x.iov)
	x.iov = x.iov[:0]
	x.n, x.errno = 0, 0
	x.add(x.head[:])
}

func (x *transfer) add(b []byte) {
	if len(b) == 0 {
		return
	}
	x.iov = append(x.iov, unix.Iovec{Base: &b[0], Len: uint64(len(b))})
}

// do makes the call, and returns false to have it made again when the descriptor is ready.
func (x *transfer) do(call, fd uintptr) bool {
	for {
		n, _, errno := syscall.Syscall(call, fd, uintptr(unsafe.Pointer(&x.iov[0])), uintptr(len(x.iov)))
		if errno == unix.EINTR {
			continue
		}
		if errno == unix.EAGAIN {
			return false
		}
		x.n, x.errno = int(n), errno
		return true
	}
}

func encodeHeader(b *[headerSize]byte, h libos.FrameHeader) {
	b[0], b[1] = h.Flags, h.Segment
	binary.LittleEndian.PutUint16(b[2:], h.HeaderLen)
	binary.LittleEndian.PutUint16(b[4:], h.SegmentLen)
	binary.LittleEndian.PutUint16(b[6:], h.SumStart)
	binary.LittleEndian.PutUint16(b[8:], h.SumOffset)
}

func decodeHeader(b *[headerSize]byte) libos.FrameHeader {
	return libos.FrameHeader{
		Flags: b[0], Segment: b[1],
		HeaderLen:  binary.LittleEndian.Uint16(b[2:]),
		SegmentLen: binary.LittleEndian.Uint16(b[4:]),
		SumStart:   binary.LittleEndian.Uint16(b[6:]),
		SumOffset:  binary.LittleEndian.Uint16(b[8:]),
	}
}
