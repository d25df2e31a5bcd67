package sealed

import (
	"encoding/binary"
	"math/rand/v2"
	"slices"
	"testing"

	"golang.org/x/net/bpf"

	"cairn/libos"
)

// A machine runs a filter as the kernel does.
type machine struct {
	t  *testing.T
	vm *bpf.VM
}

// me is what a process might say of itself, and given what is attached to it.
var (
	me    = self{pid: 4711, poller: 5, waker: 6}
	given = Attached{
		Consoles: []Descriptor{{"standard output", 1}, {"standard error", 2}},
		Links:    []Descriptor{{"tap0", 3}},
		Blocks:   []Disk{{Descriptor{"data", 7}, false}, {Descriptor{"site", 8}, true}},
	}
)

func newMachine(t *testing.T, a Attached) machine {
	t.Helper()
	raw, err := compile(calls(a, me))
	if err != nil {
		t.Fatal(err)
	}
	program, all := bpf.Disassemble(raw)
	if !all {
		t.Fatal("the filter has instructions that are not known")
	}
	vm, err := bpf.NewVM(program)
	if err != nil {
		t.Fatal(err)
	}
	return machine{t, vm}
}

// allows runs the filter for a call.
func (m machine) allows(arch, number uint32, args ...uint64) bool {
	m.t.Helper()
	// The VM reads packets, whose words are big-endian: each word of seccomp_data is written so.
	data := make([]byte, 64)
	binary.BigEndian.PutUint32(data[0:], number)
	binary.BigEndian.PutUint32(data[4:], arch)
	for i, arg := range args {
		binary.BigEndian.PutUint32(data[16+8*i:], uint32(arg))
		binary.BigEndian.PutUint32(data[20+8*i:], uint32(arg>>32))
	}
	got, err := m.vm.Run(data)
	if err != nil {
		m.t.Fatal(err)
	}
	if got != allow && uint32(got) != killProcess {
		m.t.Fatalf("the filter returns %#x", got)
	}
	return got == allow
}

const here = archX8664

func TestFilter(t *testing.T) {
	m := newMachine(t, given)
	const high = 1 << 32
	for _, c := range []struct {
		call string
		args []uint64
		want bool
	}{
		{"read", []uint64{6, 0, 8}, true},
		{"read", []uint64{3}, false},
		{"read", []uint64{0}, false},
		{"write", []uint64{1}, true},
		{"write", []uint64{2}, true},
		{"write", []uint64{6}, true},
		{"write", []uint64{high | 2}, true}, // the kernel sees an int
		{"write", []uint64{3}, false},
		{"write", []uint64{9}, false},
		{"readv", []uint64{3}, true},
		{"readv", []uint64{1}, false},
		{"writev", []uint64{3}, true},
		{"writev", []uint64{2}, false},
		{"pread64", []uint64{7}, true},
		{"pread64", []uint64{8}, true},
		{"pread64", []uint64{3}, false},
		{"pwrite64", []uint64{7}, true},
		{"pwrite64", []uint64{8}, false},
		{"fsync", []uint64{8}, false},
		{"close", []uint64{3}, true},
		{"close", []uint64{1}, false},
		{"epoll_pwait", []uint64{5}, true},
		{"epoll_pwait", []uint64{4}, false},
		{"epoll_ctl", []uint64{5, 2, 3}, true},
		{"epoll_ctl", []uint64{5, 1, 3}, false},
		{"epoll_ctl", []uint64{4, 2, 3}, false},
		{"epoll_ctl", []uint64{5, 2, 7}, false},

		{"mmap", []uint64{0, 4096, 0, 0x22, ^uint64(0), 0}, true},
		{"mmap", []uint64{0, 4096, 1 | 2, 0x32, 0xffffffff, 0}, true},
		{"mmap", []uint64{0, 4096, 1 | 2, 0x28, 0xffffffff, 0}, true}, // state of the vDSO's random numbers
		{"mmap", []uint64{0, 4096, 4, 0x22}, false},
		{"mmap", []uint64{0, 4096, 1 | 4, 0x22}, false},
		{"mmap", []uint64{0, 4096, 1 | 2 | high, 0x22}, false},
		{"mmap", []uint64{0, 4096, 1 | 2 | 0x01000000, 0x22}, false}, // PROT_GROWSDOWN
		{"mmap", []uint64{0, 4096, 1, 0x01}, false},                  // a file
		{"mmap", []uint64{0, 4096, 1, 0x02}, false},
		{"mmap", []uint64{0, 4096, 1, 0x21}, false}, // shared
		{"mmap", []uint64{0, 4096, 1, 0x22 | high}, false},
		{"mmap", []uint64{0, 4096, 1, 0x22 | 0x40000}, false}, // MAP_HUGETLB
		{"madvise", []uint64{0, 4096, 4}, true},
		{"madvise", []uint64{0, 4096, 100}, false}, // MADV_HWPOISON
		{"prctl", []uint64{0x53564d41, 0}, true},
		{"prctl", []uint64{0x53564d41, 1}, false},
		{"prctl", []uint64{22, 2}, false}, // PR_SET_SECCOMP

		{"clone", []uint64{0xd0f00}, true},
		{"clone", []uint64{0x50f00}, true},
		{"clone", []uint64{17}, false},                 // fork
		{"clone", []uint64{0xd0f00 &^ 0x10000}, false}, // a process that shares memory
		{"clone", []uint64{0xd0f00 | 0x10000000}, false},
		{"clone", []uint64{0xd0f00 | high}, false},
		{"tgkill", []uint64{4711, 4712, 23}, true},
		{"tgkill", []uint64{4711, 4712, 6}, true},
		{"tgkill", []uint64{4711, 4712, 9}, false},
		{"tgkill", []uint64{1, 1, 23}, false},
		{"futex", []uint64{0, 128}, true},
		{"futex", []uint64{0, 129}, true},
		{"futex", []uint64{0, 0}, false},
		{"futex", []uint64{0, 128 | 6}, false}, // FUTEX_LOCK_PI
		{"clock_gettime", []uint64{0}, true},
		{"clock_gettime", []uint64{2}, false},
	} {
		if got := m.allows(here, numbers[c.call], c.args...); got != c.want {
			t.Errorf("%s(%#x): allowed = %v, want %v", c.call, c.args, got, c.want)
		}
	}
}

func TestFilterOfHost(t *testing.T) {
	m := newMachine(t, Attached{Host: &libos.Limits{Listen: []string{"tcp:443"}, Dial: []string{"*"}}})
	silent := newMachine(t, Attached{Host: &libos.Limits{Listen: []string{"tcp:443"}}})
	const stream, datagram, raw, flags = 1, 2, 3, 0o2004000
	for _, c := range []struct {
		call        string
		args        []uint64
		want, alone bool // alone: where nobody is dialled
	}{
		{"socket", []uint64{2, stream | flags, 0}, true, true},
		{"socket", []uint64{10, stream | flags, 6}, true, true},
		{"socket", []uint64{2, datagram | flags, 17}, true, false},
		{"socket", []uint64{2, stream | flags, 262}, false, false}, // MPTCP
		{"socket", []uint64{2, raw | flags, 0}, false, false},
		{"socket", []uint64{1, stream | flags, 0}, false, false},   // AF_UNIX
		{"socket", []uint64{17, raw | 0o2000000, 0}, false, false}, // AF_PACKET
		{"socket", []uint64{16, raw | 0o2000000, 0}, true, true},   // AF_NETLINK: the names of interfaces
		{"socket", []uint64{16, raw | 0o2000000, 12}, false, false},
		{"connect", []uint64{9}, true, false},
		{"listen", []uint64{9}, true, true},
		{"getsockopt", []uint64{9, 1, 4}, true, true},
		{"getsockopt", []uint64{9, 1, 17}, false, false},
		{"setsockopt", []uint64{9, 0, 1}, false, false},
		{"openat", nil, false, false},
		{"pread64", []uint64{9}, false, false},
	} {
		if got := m.allows(here, numbers[c.call], c.args...); got != c.want {
			t.Errorf("%s(%#x): allowed = %v, want %v", c.call, c.args, got, c.want)
		}
		if got := silent.allows(here, numbers[c.call], c.args...); got != c.alone {
			t.Errorf("%s(%#x) where nobody is dialled: allowed = %v, want %v", c.call, c.args, got, c.alone)
		}
	}
}

// TestOtherArchitectures: calls of the two other ABIs of the processor have other numbers.
func TestOtherArchitectures(t *testing.T) {
	m := newMachine(t, given)
	const i386 = 0x40000003
	for number := range uint32(1024) {
		if m.allows(i386, number, 1, 2, 3) {
			t.Errorf("call %d of the i386 ABI is allowed", number)
		}
		if m.allows(here, x32|number, 1, 2, 3) {
			t.Errorf("call %d of the x32 ABI is allowed", number)
		}
	}
}

// TestNothingElse tries all numbers: what no rule names is not allowed, whatever its
// arguments are.
func TestNothingElse(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for _, a := range []Attached{given, {Folder: "/srv/state"}, {Host: &libos.Limits{}}} {
		m := newMachine(t, a)
		var named []uint32
		for _, r := range calls(a, me) {
			named = append(named, numbers[r.Call])
		}
		for number := range uint32(1024) {
			if slices.Contains(named, number) {
				continue
			}
			for range 4 {
				if m.allows(here, number, random.Uint64(), random.Uint64N(8), random.Uint64N(8), random.Uint64N(64)) {
					t.Errorf("call %d is allowed", number)
				}
			}
		}
	}
}

// TestSeveralRules: rules of one call are alternatives, and each holds in full.
func TestSeveralRules(t *testing.T) {
	m := newMachine(t, Attached{Folder: "/srv/state"})
	for _, c := range []struct {
		prot, flags uint64
		want        bool
	}{
		{3, 0x22, true},   // memory
		{1, 0x01, true},   // a file, to read
		{3, 0x01, false},  // a file, to write
		{1, 0x02, false},  // a copy of a file
		{5, 0x01, false},  // a file, to run
		{0x101, 1, false}, // no protection there is
	} {
		if got := m.allows(here, numbers["mmap"], 0, 4096, c.prot, c.flags); got != c.want {
			t.Errorf("mmap(prot %#x, flags %#x): allowed = %v, want %v", c.prot, c.flags, got, c.want)
		}
	}
}

func TestUnknownCall(t *testing.T) {
	if _, err := compile([]Rule{{Call: "teleport"}}); err == nil {
		t.Error("a call without a number has been compiled")
	}
}
