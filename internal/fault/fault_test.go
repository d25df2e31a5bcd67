package fault

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// A counter is a host that counts what it is asked, and how much of it came.
type counter struct {
	*httptest.Server
	served atomic.Int64
}

const answer = 3000 // bytes

func newCounter(t *testing.T) *counter {
	c := &counter{}
	c.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			panic(http.ErrAbortHandler)
		}
		fmt.Fprintf(w, "%d %d ", c.served.Add(1), len(body))
		io.WriteString(w, strings.Repeat("x", answer))
	}))
	t.Cleanup(c.Close)
	return c
}

func (c *counter) addr() string { return c.Listener.Addr().String() }

// ask posts a request through a proxy, over a client's one connection.
func ask(client *http.Client, p *Proxy, body int, patience time.Duration) (string, error) {
	client.Timeout = patience
	resp, err := client.Post("http://"+p.Addr()+"/", "text/plain", bytes.NewReader(make([]byte, body)))
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	head, _, _ := strings.Cut(string(text), "x")
	return head, err
}

func newClient(t *testing.T) *http.Client {
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport}
}

// errBroken is any error.
var errBroken = errors.New("broken")

func TestCalm(t *testing.T) {
	host := newCounter(t)
	p, client := New(t, host.addr()), newClient(t)
	for i := range 3 {
		got, err := ask(client, p, 1<<20, time.Minute)
		if want := fmt.Sprintf("%d %d ", i+1, 1<<20); err != nil || got != want {
			t.Errorf("got %q, %v, want %q", got, err, want)
		}
	}
	if got := p.Faults(); got != 0 {
		t.Errorf("faults: got %d, want none", got)
	}
}

// TestKinds has the second request of a connection go wrong in each of the ways.
func TestKinds(t *testing.T) {
	for _, test := range []struct {
		fault  Fault
		want   string // what the client gets, or
		err    error  // why not
		served int64  // requests by then
	}{
		{Fault{}, "2 5000 ", nil, 2},
		{Fault{Kind: Cut, After: 3000}, "", errBroken, 1},
		{Fault{Kind: Cut, After: 3000, Back: true}, "2 5000 ", io.ErrUnexpectedEOF, 2},
		{Fault{Kind: Cut, After: 10000}, "2 5000 ", nil, 2},
		{Fault{Kind: Reset, After: 3000}, "", errBroken, 1},
		{Fault{Kind: Reset, Back: true}, "", syscall.ECONNRESET, 2},
		{Fault{Kind: Truncate, After: 3000}, "", errBroken, 1},
		{Fault{Kind: Truncate, After: 3000, Back: true}, "2 5000 ", io.ErrUnexpectedEOF, 2},
		{Fault{Kind: Stall, After: 3000}, "", context.DeadlineExceeded, 1},
		{Fault{Kind: Stall, Back: true}, "", context.DeadlineExceeded, 2},
		{Fault{Kind: Delay, Pause: 50 * time.Millisecond}, "2 5000 ", nil, 2},
		{Fault{Kind: Trickle, Back: true}, "2 5000 ", nil, 2},
		{Fault{Kind: Drop}, "", syscall.ECONNRESET, 2},
		{Fault{Kind: DoubleFirst}, "3 5000 ", nil, 3},
		{Fault{Kind: DoubleLater, Pause: time.Millisecond}, "2 5000 ", nil, 3},
	} {
		t.Run(test.fault.String(), func(t *testing.T) {
			t.Parallel()
			host := newCounter(t)
			p, client := New(t, host.addr()), newClient(t)
			if _, err := ask(client, p, 5000, time.Minute); err != nil {
				t.Fatal(err)
			}
			p.Plan(Once(0, test.fault))
			patience := time.Minute
			if test.fault.Kind == Stall {
				patience = 8 * time.Second // for the request to come that far on any machine
			}
			got, err := ask(client, p, 5000, patience)
			if got != test.want || !is(err, test.err) {
				t.Errorf("got %q, %v, want %q, %v", got, err, test.want, test.err)
			}
			for deadline := time.Now().Add(time.Minute); host.served.Load() != test.served; {
				if time.Now().After(deadline) {
					t.Fatalf("served: got %d, want %d", host.served.Load(), test.served)
				}
				time.Sleep(time.Millisecond)
			}
			if _, err := ask(newClient(t), p, 5000, time.Minute); err != nil {
				t.Errorf("afterwards: %v", err)
			}
		})
	}
}

// is says whether err is what is wanted; a stream that breaks within a request
// shows itself in several ways.
func is(err, want error) bool {
	if want == errBroken {
		return err != nil
	}
	return errors.Is(err, want)
}

func TestRefuse(t *testing.T) {
	host := newCounter(t)
	p, client := New(t, host.addr()), newClient(t)
	p.Refuse(true)
	if _, err := ask(client, p, 1, time.Minute); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("refused: got %v, want %v", err, syscall.ECONNREFUSED)
	}
	p.Refuse(false)
	if _, err := ask(client, p, 1, time.Minute); err != nil {
		t.Errorf("not refused: %v", err)
	}
}

func TestSever(t *testing.T) {
	host := newCounter(t)
	p := New(t, host.addr())
	c, err := p.Dial(t.Context(), "tcp", "elsewhere:1")
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := io.WriteString(c, "GET / HTTP/1.1\r\nHost: h\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	if _, err := bufio.NewReader(c).ReadString('\n'); err != nil {
		t.Fatal(err)
	}
	p.Sever()
	if _, err := io.Copy(io.Discard, c); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("severed: got %v, want %v", err, syscall.ECONNRESET)
	}
}

// TestSeeded checks that a seed repeats its faults, and that all kinds occur.
func TestSeeded(t *testing.T) {
	one, two := Seeded(7, 0.5, Kinds...), Seeded(7, 0.5, Kinds...)
	kinds := map[Kind]int{}
	for range 1000 {
		f := one()
		if other := two(); f != other {
			t.Fatalf("got %v and %v from one seed", f, other)
		}
		kinds[f.Kind]++
		if f.After < 0 || f.After > maxAfter {
			t.Errorf("%v: after %d bytes, want at most %d", f, f.After, maxAfter)
		}
	}
	if got, want := len(kinds), len(Kinds)+1; got != want {
		t.Errorf("kinds: got %v, want %d", kinds, want)
	}
}

// TestOpaque relays what is not HTTP, and drops its answer.
func TestOpaque(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	heard := make(chan string, 10)
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			in := bufio.NewReader(c)
			for {
				line, err := in.ReadString('\n')
				if err != nil {
					c.Close()
					break
				}
				heard <- line
				io.WriteString(c, line)
			}
		}
	}()
	p := New(t, l.Addr().String())
	c, err := p.Dial(t.Context(), "tcp", "")
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	in := bufio.NewReader(c)
	for i := range 3 {
		if i == 2 {
			p.Plan(Once(0, Fault{Kind: Drop}))
		}
		if _, err := io.WriteString(c, "hello\n"); err != nil {
			t.Fatal(err)
		}
		if got := <-heard; got != "hello\n" {
			t.Errorf("the host heard %q", got)
		}
		_, err := in.ReadString('\n')
		if want := map[bool]error{true: syscall.ECONNRESET}[i == 2]; !errors.Is(err, want) {
			t.Errorf("answer %d: got %v, want %v", i, err, want)
		}
	}
}
