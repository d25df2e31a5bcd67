package libos

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/netip"
	"slices"
)

// An Env is what a service is handed: what its manifest names, and nothing else.
type Env struct {
	Net  Net // limited to the manifest's ports and peers
	Args Args
	Log  *slog.Logger

	State string           // path of the manifest's folder; "" where there is none or none was given
	Alone bool             // there is no host, and so no folder anywhere
	Disks map[string]Block // those of the manifest that are there, by name

	// Files reads a file that an argument names: on a host its own, elsewhere from a
	// disk of files. Services call ReadFile.
	Files func(name string) ([]byte, error)

	Out, Err io.Writer // what it has to say to a person, and what went wrong

	// Addrs are the machine's addresses on a network of its own, for telling
	// people. On the host's network they are not known: nil.
	Addrs []netip.Addr

	// Memory is how many bytes the program may take of the machine's memory; 0: that is not
	// known, and not short. Caches and buffers follow from it.
	Memory int64

	Manifest Manifest
}

// Listen opens the port of that name where the arguments say.
func (e Env) Listen(ctx context.Context, name string) (net.Listener, error) {
	p := e.port(name)
	address, fallback := e.Args.String(name), ""
	if address == "" {
		address, fallback = p.address(e.Addrs != nil)
	}
	l, err := e.Net.Listen(ctx, p.network(), address)
	if err != nil && fallback != "" {
		if free, freeErr := e.Net.Listen(ctx, p.network(), fallback); freeErr == nil {
			return free, nil
		}
	}
	if err != nil {
		return nil, fmt.Errorf("%w: choose another address with --%s, port 0 takes a free one", err, name)
	}
	return l, nil
}

// Listens reports whether the port of that name is to be opened at all.
func (e Env) Listens(name string) bool {
	address, _ := e.port(name).address(e.Addrs != nil)
	return e.Args.String(name) != "" || address != ""
}

func (e Env) port(name string) Port {
	for _, p := range e.Manifest.Ports {
		if p.Name == name {
			return p
		}
	}
	panic(fmt.Sprintf("libos: the manifest declares no port %q", name))
}

func (p Port) network() string {
	if p.Network == "" {
		return "tcp"
	}
	return p.Network
}

// address is where the port is when nothing is said, and where else it may be.
func (p Port) address(own bool) (address, fallback string) {
	if own && p.Own != "" {
		return p.Own, ""
	}
	if host, _, err := net.SplitHostPort(p.Host); err == nil {
		fallback = net.JoinHostPort(host, "0")
	}
	return p.Host, fallback
}

// Share is how much memory something may take, in bytes: usual, or where Memory is less than
// parts of that, one of so many parts.
func (e Env) Share(usual int64, parts int64) int64 {
	if e.Memory == 0 {
		return usual
	}
	return min(usual, e.Memory/parts)
}

// Disk returns the manifest's disk of that name, nil where it need not be there and is not.
func (e Env) Disk(name string) Block {
	if !slices.ContainsFunc(e.Manifest.Disks, func(d Disk) bool { return d.Name == name }) {
		panic(fmt.Sprintf("libos: the manifest declares no disk %q", name))
	}
	return e.Disks[name]
}

// ReadFile reads a file that was named by an argument of the kind File or Files, and no
// other. It may give what the file held when the program was started.
func (e Env) ReadFile(name string) ([]byte, error) {
	if !slices.Contains(e.Args.Files(), name) {
		return nil, &fs.PathError{Op: "read", Path: name, Err: ErrNotNamed}
	}
	return e.Files(name)
}

// ErrNotNamed says that a file cannot be read because no argument named it.
var ErrNotNamed = errors.New("no argument names this file")

// Address is where others reach l, as host:port: what listens on every address of
// a network of its own is told under the first of them.
func (e Env) Address(l net.Listener) string {
	at, err := netip.ParseAddrPort(l.Addr().String())
	if err != nil || !at.Addr().IsUnspecified() || len(e.Addrs) == 0 {
		return l.Addr().String()
	}
	return netip.AddrPortFrom(e.Addrs[0], at.Port()).String()
}
