package unix

import (
	"errors"
	"fmt"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"

	"cairn/libos"
)

// A TAP is one end of a virtual Ethernet cable; the kernel's interface of the
// same name is the other. It is a libos.Link.
type TAP struct {
	name string
	mac  net.HardwareAddr
	mtu  int
	fd   int
	file *os.File
	raw  syscall.RawConn

	closed atomic.Bool // a RawConn's own error for that is nobody's to compare

	in  transfer  // of Receive, which has one caller
	out sync.Pool // of *transfer
}

var _ libos.Link = (*TAP)(nil)

// OpenTAP attaches to the TAP interface of that name, or makes one, which
// lasts as long as the TAP is open and needs CAP_NET_ADMIN. An interface that
// exists is best made for the user who opens it:
//
//	ip tuntap add tap0 mode tap user cairn vnet_hdr
//	ip link set tap0 up
//
// mac is the address of our end; nil stands for one that follows from the
// interface's own. The MTU is what the interface has when it is opened. While
// the interface is down Send returns EIO.
func OpenTAP(name string, mac net.HardwareAddr) (*TAP, error) {
	if len(name) == 0 || len(name) >= unix.IFNAMSIZ {
		return nil, fmt.Errorf("open TAP %q: a name has 1 to %d bytes", name, unix.IFNAMSIZ-1)
	}
	fd, err := unix.Open("/dev/net/tun", unix.O_RDWR|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, fmt.Errorf("open TAP %q: /dev/net/tun: %w", name, err)
	}
	t := &TAP{name: name, mac: mac, fd: fd}
	if err := t.attach(fd); err != nil {
		unix.Close(fd)
		return nil, fmt.Errorf("open TAP %q: %w", name, err)
	}
	// Only now: an unattached descriptor cannot be polled.
	t.file = os.NewFile(uintptr(fd), "/dev/net/tun")
	if t.raw, err = t.file.SyscallConn(); err != nil {
		t.file.Close()
		return nil, fmt.Errorf("open TAP %q: %w", name, err)
	}
	t.in.init()
	t.out.New = func() any {
		x := new(transfer)
		x.init()
		return x
	}
	return t, nil
}

// attach ties the descriptor to the interface and sets what may pass unfinished.
func (t *TAP) attach(fd int) error {
	ifr, err := unix.NewIfreq(t.name)
	if err != nil {
		return err
	}
	ifr.SetUint16(unix.IFF_TAP | unix.IFF_NO_PI | unix.IFF_VNET_HDR)
	if err := unix.IoctlIfreq(fd, unix.TUNSETIFF, ifr); err != nil {
		return attachError(err)
	}
	if err := unix.IoctlSetPointerInt(fd, unix.TUNSETVNETHDRSZ, headerSize); err != nil {
		return fmt.Errorf("set the size of frame headers: %w", err)
	}
	// A persistent interface may still have what its last owner set.
	if err := unix.IoctlSetPointerInt(fd, unix.TUNSETVNETLE, 1); err != nil {
		return fmt.Errorf("set the byte order of frame headers: %w", err)
	}
	const offload = unix.TUN_F_CSUM | unix.TUN_F_TSO4 | unix.TUN_F_TSO6 | unix.TUN_F_TSO_ECN
	if err := unix.IoctlSetInt(fd, unix.TUNSETOFFLOAD, offload); err != nil {
		return fmt.Errorf("set offload: %w", err)
	}
	return t.identify()
}

// attachError says what to do about the usual reasons.
func attachError(err error) error {
	switch {
	case errors.Is(err, unix.EBUSY):
		return fmt.Errorf("another program uses it: %w", err)
	case errors.Is(err, unix.EPERM):
		return fmt.Errorf("it is not this user's; make one with: ip tuntap add NAME mode tap user USER vnet_hdr: %w", err)
	case errors.Is(err, unix.EINVAL):
		return fmt.Errorf("it is not a TAP of one queue: %w", err)
	}
	return err
}

// identify asks for the interface's MTU and address.
func (t *TAP) identify() error {
	s, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("ask for its MTU: %w", err)
	}
	defer unix.Close(s)
	ifr, err := unix.NewIfreq(t.name)
	if err != nil {
		return err
	}
	if err := unix.IoctlIfreq(s, unix.SIOCGIFMTU, ifr); err != nil {
		return fmt.Errorf("ask for its MTU: %w", err)
	}
	t.mtu = int(ifr.Uint32())
	if t.mac != nil {
		return nil
	}
	if err := unix.IoctlIfreq(s, unix.SIOCGIFHWADDR, ifr); err != nil {
		return fmt.Errorf("ask for its address: %w", err)
	}
	// An ifreq is its name, the address's family and then the address.
	other := unsafe.Slice((*byte)(unsafe.Add(unsafe.Pointer(ifr), unix.IFNAMSIZ+2)), 6)
	t.mac = neighbour(other)
	return nil
}

// neighbour returns an address for our end of the cable: not the interface's
// own, the same each time, and one of those that nobody assigns.
func neighbour(other net.HardwareAddr) net.HardwareAddr {
	mac := append(net.HardwareAddr(nil), other...)
	mac[0] = mac[0]&^1 | 2
	mac[5] ^= 0x80
	return mac
}

// MAC returns the address of our end.
func (t *TAP) MAC() net.HardwareAddr { return t.mac }

// MTU returns what the interface's was when it was opened.
func (t *TAP) MTU() int { return t.mtu }

// Offload is true.
func (t *TAP) Offload() bool { return true }

// Name returns the interface's.
func (t *TAP) Name() string { return t.name }

// FD returns the device's descriptor, which stays the TAP's.
func (t *TAP) FD() int { return t.fd }

// Receive waits for a frame that the kernel sends.
func (t *TAP) Receive(buf []byte) (int, libos.FrameHeader, error) {
	x := &t.in
	x.reset()
	x.add(buf)
	if err := t.raw.Read(x.readv); err != nil {
		return 0, libos.FrameHeader{}, t.err("receive", err)
	}
	if x.errno != 0 {
		return 0, libos.FrameHeader{}, t.err("receive", x.errno)
	}
	if x.n < headerSize {
		return 0, libos.FrameHeader{}, t.err("receive", fmt.Errorf("%d bytes are less than a header", x.n))
	}
	return x.n - headerSize, decodeHeader(&x.head), nil
}

// Send gives a frame to the kernel.
func (t *TAP) Send(h libos.FrameHeader, parts ...[]byte) error {
	x := t.out.Get().(*transfer)
	defer t.out.Put(x)
	x.reset()
	defer x.reset() // keeps nothing of the frame
	encodeHeader(&x.head, h)
	size := 0
	for _, p := range parts {
		size += len(p)
		x.add(p)
	}
	if limit := t.limit(h); size > limit {
		return fmt.Errorf("send on TAP %q: a frame of %d bytes is larger than %d", t.name, size, limit)
	}
	if err := t.raw.Write(x.writev); err != nil {
		return t.err("send", err)
	}
	if x.errno != 0 {
		return t.err("send", x.errno)
	}
	return nil
}

// limit is the size of the largest frame with such a header.
func (t *TAP) limit(h libos.FrameHeader) int {
	if h.Segment != libos.SegmentNone {
		return libos.MaxFrame
	}
	return 18 + t.mtu
}

// Close ends a Receive and every Send. An interface that OpenTAP made is gone.
func (t *TAP) Close() error {
	t.closed.Store(true)
	if err := t.file.Close(); err != nil && !errors.Is(err, os.ErrClosed) {
		return err
	}
	return nil
}

func (t *TAP) err(op string, err error) error {
	if t.closed.Load() {
		err = net.ErrClosed
	}
	return fmt.Errorf("%s on TAP %q: %w", op, t.name, err)
}
