//go:build amd64

package sealed_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"cairn/libos"
	"cairn/libos/sealed"
)

// TestHost: sockets of the host work for the ports that are declared, and for no other.
func TestHost(t *testing.T) {
	peer, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer peer.Close()
	go func() {
		for {
			c, err := peer.Accept()
			if err != nil {
				return
			}
			_, _ = io.Copy(c, c) // an echo, as long as there is somebody
			c.Close()
		}
	}()
	succeeds(t, process(t, "on the host", peer.Addr().String(), ports(t)))
}

// ports says whether the kernel can keep a process from ports.
func ports(t *testing.T) string {
	version, _, _ := unix.RawSyscall(unix.SYS_LANDLOCK_CREATE_RULESET, 0, 0, 1)
	if int(version) < 4 {
		t.Log("before Linux 6.7 there is nothing that keeps a process from ports")
		return "open"
	}
	return "kept"
}

func init() {
	roles["on the host"] = func(args []string) error {
		limits := &libos.Limits{Listen: []string{"tcp:0", "udp:*"}, Dial: []string{args[0]}}
		if err := sealed.Seal(sealed.Attached{Consoles: outputs, Host: limits}); err != nil {
			return err
		}
		err := errors.Join(echoes(args[0]), serves(), datagrams())
		if _, e := net.Interfaces(); e != nil {
			err = errors.Join(err, e)
		}
		if args[1] == "kept" {
			err = errors.Join(err, otherPorts())
		}
		return err
	}
	for _, name := range []string{"openat", "execve", "mmap of memory to execute", "socketpair", "sendmsg", "clone of a process",
		"sendto that connects", "recvfrom with a flag", "setsockopt of a filter", "setsockopt of a protocol on top"} {
		roles["on the host, "+name] = func([]string) error {
			if err := sealed.Seal(sealed.Attached{Consoles: outputs, Host: &libos.Limits{Dial: []string{"*"}}}); err != nil {
				return err
			}
			return try(name)
		}
		onHost = append(onHost, name)
	}
}

var onHost []string

// TestForbiddenOnHost: sockets are all that is allowed in addition.
func TestForbiddenOnHost(t *testing.T) {
	for _, name := range onHost {
		killed(t, "on the host, "+name, "")
	}
}

var (
	listener net.ListenConfig
	dialer   = net.Dialer{Timeout: time.Minute}
)

func init() {
	listener.SetMultipathTCP(false)
	dialer.SetMultipathTCP(false)
}

// echoes talks to a peer.
func echoes(address string) error {
	c, err := dialer.Dial("tcp", address)
	if err != nil {
		return err
	}
	defer c.Close()
	text := strings.Repeat("echo", 1<<16)
	go func() {
		_, _ = io.WriteString(c, text) // what is missing, the other side misses
		_ = c.(*net.TCPConn).CloseWrite()
	}()
	got, err := io.ReadAll(c)
	if err == nil && string(got) != text {
		err = fmt.Errorf("the echo has %d bytes, want %d", len(got), len(text))
	}
	return err
}

// serves listens, and accepts nobody until its deadline.
func serves() error {
	l, err := listener.Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	defer l.Close()
	if err := l.(*net.TCPListener).SetDeadline(time.Now().Add(time.Millisecond)); err != nil {
		return err
	}
	if _, err := l.Accept(); !errors.Is(err, os.ErrDeadlineExceeded) {
		return err
	}
	return nil
}

// datagrams sends two to itself, the second as questions for names are sent.
func datagrams() error {
	c, err := listener.ListenPacket(context.Background(), "udp4", "127.0.0.1:0")
	if err != nil {
		return err
	}
	defer c.Close()
	if _, err := c.WriteTo([]byte("to myself"), c.LocalAddr()); err != nil {
		return err
	}
	d, err := dialer.Dial("udp4", c.LocalAddr().String())
	if err != nil {
		return err
	}
	defer d.Close()
	if _, err := d.Write([]byte("to myself")); err != nil {
		return err
	}
	buf := make([]byte, 16)
	for range 2 {
		n, _, err := c.ReadFrom(buf)
		if err != nil || string(buf[:n]) != "to myself" {
			return fmt.Errorf("got %q, %w", buf[:n], err)
		}
	}
	return nil
}

// otherPorts tries those that are not declared.
func otherPorts() error {
	var errs []error
	for _, port := range []string{"8080", "65000"} {
		l, err := listener.Listen(context.Background(), "tcp", "127.0.0.1:"+port)
		if err == nil {
			l.Close()
		}
		if !errors.Is(err, fs.ErrPermission) {
			errs = append(errs, fmt.Errorf("listen on %s: got %v, want %v", port, err, fs.ErrPermission))
		}
		c, err := dialer.Dial("tcp", "127.0.0.1:"+port)
		if err == nil {
			c.Close()
		}
		if !errors.Is(err, fs.ErrPermission) {
			errs = append(errs, fmt.Errorf("dial %s: got %v, want %v", port, err, fs.ErrPermission))
		}
	}
	return errors.Join(errs...)
}
