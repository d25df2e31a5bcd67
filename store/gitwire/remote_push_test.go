package gitwire

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-git/go-git/v5/plumbing/protocol/packp/capability"
	"golang.org/x/crypto/ssh"

	"cairn/store"
)

// moves is a push that moves main.
func moves(old, tip store.Hash) PushRequest {
	return PushRequest{Commands: []Command{{Name: "refs/heads/main", Old: old, New: tip}}}
}

// grow pushes n commits to main, one after the other, and returns the last.
func grow(t *testing.T, r *Remote, from store.Hash, n int) store.Hash {
	t.Helper()
	for i := range n {
		var parents []store.Hash
		if !from.IsZero() {
			parents = []store.Hash{from}
		}
		objs, tip := chain(1000+i, fmt.Sprint(from, i), parents...)
		p := moves(from, tip)
		p.Objects = objs
		if err := r.Push(t.Context(), p); err != nil {
			t.Fatal(err)
		}
		from = tip
	}
	return from
}

// A warm push is one request, which asks for no advertisement.
func TestWarmPushIsOnePost(t *testing.T) {
	for _, kind := range []string{"git-http", "git-http-v0", "http"} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			h := kinds[kind](t)
			r := remoteOf(t, h.client, h.url)
			tip := grow(t, r, store.Hash{}, 1)
			if got, want := h.http.take(), []string{"GET", "POST"}; !slices.Equal(got, want) {
				t.Errorf("the first push: got requests %q, want %q", got, want)
			}
			tip = grow(t, r, tip, 3)
			if got, want := h.http.take(), []string{"POST", "POST", "POST"}; !slices.Equal(got, want) {
				t.Errorf("three pushes more: got requests %q, want %q", got, want)
			}
			h.wantRefs(t, "main", tip)
		})
	}
}

// ready waits for a spare of a service.
func ready(t *testing.T, r *Remote, service string) {
	t.Helper()
	tr := r.wire.(*streamTransport)
	deadline := time.Now().Add(time.Minute)
	for {
		tr.mu.Lock()
		var list []*spare
		if sp := tr.spares[service]; sp != nil {
			list = slices.Clone(sp.list)
		}
		tr.mu.Unlock()
		for _, p := range list {
			select {
			case <-p.ready:
				if p.err == nil {
					return
				}
			default:
			}
		}
		if time.Now().After(deadline) {
			t.Fatal("got no spare, want one")
		}
		time.Sleep(time.Millisecond)
	}
}

// A wireTap is a dialer that remembers its connections, can refuse more, and counts how often
// what is said changes its direction.
type wireTap struct {
	mu     sync.Mutex
	conns  []*tappedConn
	closed bool
	deaf   bool // what comes is not heard
}

type tappedConn struct {
	net.Conn
	tap   *wireTap
	turns []string // "read" and "write", each once for several of the same in a row
}

func (w *wireTap) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		return nil, errors.New("no more connections")
	}
	conn, err := new(net.Dialer).DialContext(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	c := &tappedConn{Conn: conn, tap: w}
	w.conns = append(w.conns, c)
	return c, nil
}

func (c *tappedConn) turn(what string) {
	c.tap.mu.Lock()
	defer c.tap.mu.Unlock()
	if n := len(c.turns); n == 0 || c.turns[n-1] != what {
		c.turns = append(c.turns, what)
	}
}

func (c *tappedConn) Read(p []byte) (int, error) {
	for {
		n, err := c.Conn.Read(p)
		c.tap.mu.Lock()
		deaf := c.tap.deaf
		c.tap.mu.Unlock()
		if deaf && err == nil {
			continue
		}
		if n > 0 {
			c.turn("read")
		}
		return n, err
	}
}

func (c *tappedConn) Write(p []byte) (int, error) {
	c.turn("write")
	return c.Conn.Write(p)
}

// refuse makes all further connections fail.
func (w *wireTap) refuse(yes bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.closed = yes
}

// Over git:// a push goes out on a connection whose greeting has been read: it is
// written, and its answer read.
func TestWarmPushOnSpare(t *testing.T) {
	h := stockDaemon(t)
	tap := &wireTap{}
	h.client.Dial = tap.dial
	r := remoteOf(t, h.client, h.url)
	tip := grow(t, r, store.Hash{}, 1)
	ready(t, r, pushService)
	tap.refuse(true)
	tip = grow(t, r, tip, 1)
	h.wantRefs(t, "main", tip)
	tap.mu.Lock()
	defer tap.mu.Unlock()
	// Asked for the service and greeted ahead of time, then one round trip.
	last := tap.conns[len(tap.conns)-1]
	if got, want := last.turns, []string{"write", "read", "write", "read"}; !slices.Equal(got, want) {
		t.Errorf("on the spare: got %q, want %q", got, want)
	}
}

// Over SSH too: the push needs no session that has yet to be opened.
func TestWarmPushOverSSH(t *testing.T) {
	l := labOver(t, "mem")
	server := l.sshServer()
	var mu sync.Mutex
	held := make(chan struct{})
	var hold <-chan struct{} // sessions to be opened wait for it, when it is set
	open := server.Open
	server.Open = func(ctx context.Context, perms *ssh.Permissions, repo string, write bool) (*View, error) {
		mu.Lock()
		wait := hold
		mu.Unlock()
		if wait != nil {
			<-wait
		}
		return open(ctx, perms, repo, write)
	}
	port := serveSSH(t, server)
	r := remoteOf(t, l.sshClient(), "ssh://alice@127.0.0.1:"+port+"/www")
	tip := grow(t, r, store.Hash{}, 1)
	ready(t, r, pushService)
	mu.Lock()
	hold = held
	mu.Unlock()
	grow(t, r, tip, 1)
	close(held)
}

// A host that allows one session at a time is not kept busy with spares.
func TestNoRoomForSpares(t *testing.T) {
	l := labOver(t, "mem")
	r := remoteOf(t, l.sshClient(), l.ssh)
	tip := grow(t, r, store.Hash{}, 1)
	ready(t, r, pushService)
	tr := r.wire.(*streamTransport)
	dial := tr.dial
	tr.mu.Lock()
	tr.dial = func(ctx context.Context, service string) (*stream, error) {
		tr.mu.Lock()
		open := len(tr.busy)
		for _, sp := range tr.spares {
			open += len(sp.list)
		}
		tr.mu.Unlock()
		if open > 0 {
			return nil, away(errNoRoom)
		}
		return dial(ctx, service)
	}
	tr.mu.Unlock()
	quiet := func() { // what was asked last has come to its end
		for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
			tr.mu.Lock()
			busy := len(tr.busy)
			tr.mu.Unlock()
			if busy == 0 {
				return
			}
		}
	}
	quiet()
	if _, err := r.Refs(t.Context()); err != nil {
		t.Errorf("beside a spare: %v", err)
	}
	for range 2 {
		quiet()
		tip = grow(t, r, tip, 1)
	}
	quiet()
	refs, err := r.Refs(t.Context(), "refs/heads/")
	if err != nil || len(refs) != 1 || refs[0].Hash != tip {
		t.Errorf("got %v, %v, want main at %s", refs, err, tip)
	}
}

// A spare that has died is replaced without a word.
func TestDeadSpareIsReplaced(t *testing.T) {
	for _, kind := range []string{"git-daemon", "ssh", "git-ssh"} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			h := kinds[kind](t)
			tap := &wireTap{}
			h.client.Dial = tap.dial
			r := remoteOf(t, h.client, h.url)
			tip := grow(t, r, store.Hash{}, 1)
			for range 3 {
				ready(t, r, pushService)
				tap.mu.Lock()
				for _, c := range tap.conns {
					c.Conn.Close()
				}
				tap.mu.Unlock()
				tip = grow(t, r, tip, 1)
			}
			h.wantRefs(t, "main", tip)
		})
	}
}

// The old value is the caller's, not the one that the remote advertises: what
// somebody else has pushed in between is not lost.
func TestPushNeverForces(t *testing.T) {
	overHosts(t, func(t *testing.T, h host) {
		mine, theirs := remoteOf(t, h.client, h.url), remoteOf(t, h.client, h.url)
		first := grow(t, mine, store.Hash{}, 1)
		second := grow(t, theirs, first, 1)

		objs, lost := chain(3000, "behind", first)
		for what, r := range map[string]*Remote{"warm": mine, "cold": remoteOf(t, h.client, h.url)} {
			p := moves(first, lost)
			p.Objects = objs
			err := r.Push(t.Context(), p)
			var rejected *RejectedError
			if !errors.As(err, &rejected) || !rejected.Race || errors.Is(err, ErrInDoubt) {
				t.Errorf("%s: got %v, want a RejectedError of a lost race", what, err)
			}
			p.Commands[0].Old = store.Hash{}
			if err := r.Push(t.Context(), p); !errors.As(err, &rejected) || !rejected.Race {
				t.Errorf("%s, as a new branch: got %v, want a RejectedError of a lost race", what, err)
			}
		}
		h.wantRefs(t, "main", second)
		// Losing does not make the next push worse.
		third := grow(t, mine, second, 1)
		h.wantRefs(t, "main", third)
	})
}

// A server that has carried the push out and cannot say so leaves doubt, and is
// not asked again behind the caller's back.
func TestLostAcknowledgement(t *testing.T) {
	for _, kind := range []string{"git-http", "http"} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			h := kinds[kind](t)
			r := remoteOf(t, h.client, h.url)
			first := grow(t, r, store.Hash{}, 2) // the connection is one that has been used
			h.http.take()
			h.http.losing(posts)
			objs, second := chain(3000, "lost", first)
			p := moves(first, second)
			p.Objects = objs
			err := r.Push(t.Context(), p)
			if !errors.Is(err, ErrInDoubt) || !errors.Is(err, store.ErrTemporary) {
				t.Errorf("got %v, want %v for the time being", err, ErrInDoubt)
			}
			if got, want := h.http.take(), []string{"POST"}; !slices.Equal(got, want) {
				t.Errorf("requests: got %q, want %q", got, want)
			}
			h.http.losing(nil)
			h.wantRefs(t, "main", second)
			if err := r.Push(t.Context(), p); !isRejected(err) {
				t.Errorf("the same again: got %v, want it rejected", err)
			}
		})
	}
}

func isRejected(err error) bool {
	var rejected *RejectedError
	return errors.As(err, &rejected) && !errors.Is(err, ErrInDoubt)
}

// Over a stream too: whoever has handed the push over and hears nothing does not
// know what has become of it.
func TestLostAcknowledgementOnStream(t *testing.T) {
	for _, kind := range []string{"git-daemon", "git-ssh", "ssh"} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			h := kinds[kind](t)
			tap := &wireTap{}
			h.client.Dial = tap.dial
			r := remoteOf(t, h.client, h.url)
			first := grow(t, r, store.Hash{}, 1)
			ready(t, r, pushService)
			tap.mu.Lock()
			tap.deaf = true
			tap.mu.Unlock()
			objs, second := chain(3000, "lost", first)
			p := moves(first, second)
			p.Objects = objs
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			done := make(chan error, 1)
			go func() { done <- r.Push(ctx, p) }()
			h.eventually(t, second)
			cancel()
			// A daemon hangs up when it is done; the others are given up.
			if err := <-done; !errors.Is(err, ErrInDoubt) || !errors.Is(err, context.Canceled) && !errors.Is(err, store.ErrTemporary) {
				t.Errorf("got %v, want %v", err, ErrInDoubt)
			}
		})
	}
}

// eventually waits until the host has a commit on main.
func (h host) eventually(t *testing.T, want store.Hash) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(time.Millisecond) {
		out, _ := h.repo.try(t, "rev-parse", "refs/heads/main")
		if strings.TrimSpace(out) == want.String() {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("main: got %s, want %s", out, want)
		}
	}
}

// A scripted host answers the advertisement of receive-pack and then what it is told to.
type scripted struct {
	caps        string
	status      int
	contentType string
	body        []byte
	cut         bool // the connection breaks behind the body
	broken      error

	asked []byte // the last question
}

func (s *scripted) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Method == http.MethodGet {
		hello := script(nil, store.Hash{}.String()+" capabilities^{}\x00"+s.caps, "0000")
		return answered(r, 200, "application/x-git-receive-pack-advertisement", bytes.NewReader(hello))
	}
	s.asked, _ = io.ReadAll(r.Body)
	if s.broken != nil {
		return nil, s.broken
	}
	var body io.Reader = bytes.NewReader(s.body)
	if s.cut {
		body = io.MultiReader(body, cutOff{})
	}
	if s.contentType == "" {
		s.contentType = "application/x-git-receive-pack-result"
	}
	return answered(r, s.status, s.contentType, body)
}

func answered(r *http.Request, status int, contentType string, body io.Reader) (*http.Response, error) {
	return &http.Response{
		Status: fmt.Sprint(status), StatusCode: status, Request: r, Body: io.NopCloser(body),
		Header: http.Header{"Content-Type": {contentType}},
	}, nil
}

// cutOff is where a connection breaks.
type cutOff struct{}

func (cutOff) Read([]byte) (int, error) {
	return 0, &net.OpError{Op: "read", Err: errors.New("connection reset by peer")}
}

// What is certain of a push and what is not.
func TestPushErrors(t *testing.T) {
	const name = "refs/heads/main"
	report := func(lines ...string) []byte { return script(nil, lines...) }
	banded := func(band byte, data string) []byte {
		var b bytes.Buffer
		newSideband(&b, false).write(band, []byte(data))
		return b.Bytes()
	}
	plain, bands := "report-status atomic delete-refs", "report-status side-band-64k"
	for what, c := range map[string]struct {
		host  scripted
		doubt bool
		want  error // besides
	}{
		"200":                {host: scripted{status: 200, body: report("unpack ok", "ok "+name, "0000")}},
		"ng":                 {host: scripted{status: 200, body: report("unpack ok", "ng "+name+" hook declined", "0000")}, want: &RejectedError{Ref: name, Reason: "hook declined"}},
		"ng of a race":       {host: scripted{status: 200, body: report("unpack ok", "ng "+name+" Failed to lock", "0000")}, want: &RejectedError{Ref: name, Reason: "Failed to lock", Race: true}},
		"ng without reason":  {host: scripted{status: 200, body: report("unpack ok", "ng "+name, "0000")}, want: &RejectedError{Ref: name, Reason: "no reason given"}},
		"unpack":             {host: scripted{status: 200, body: report("unpack disk full", "ng "+name+" unpacker error", "0000")}, want: &RejectedError{Ref: name, Reason: "unpacker error"}},
		"unpack and ok":      {host: scripted{status: 200, body: report("unpack disk full", "ok "+name, "0000")}, doubt: true},
		"ok and ng":          {host: scripted{status: 200, body: report("unpack ok", "ok "+name, "ng "+name+" no", "0000")}, doubt: true},
		"nothing of the ref": {host: scripted{status: 200, body: report("unpack ok", "ok refs/heads/other", "0000")}, doubt: true},
		"cut report":         {host: scripted{status: 200, body: report("unpack ok", "ok "+name), cut: true}, doubt: true, want: store.ErrTemporary},
		"ended report":       {host: scripted{status: 200, body: report("unpack ok", "ok "+name)}, doubt: true, want: store.ErrTemporary},
		"no report":          {host: scripted{status: 200}, doubt: true, want: store.ErrTemporary},
		"endless report":     {host: scripted{status: 200, body: bytes.Repeat(report("unpack ok"), 1000)}, doubt: true},
		"fatal band":         {host: scripted{status: 200, caps: bands, body: banded(bandError, "out of memory")}, doubt: true, want: &RemoteError{"out of memory"}},
		"ERR":                {host: scripted{status: 200, body: report("ERR no room")}, doubt: true, want: &RemoteError{"no room"}},
		"not git":            {host: scripted{status: 200, contentType: "text/html", body: []byte("<p>Welcome")}, doubt: true},
		"401":                {host: scripted{status: 401}, want: ErrUnauthorized},
		"403":                {host: scripted{status: 403}, want: fs.ErrPermission},
		"404":                {host: scripted{status: 404}, want: fs.ErrNotExist},
		"413":                {host: scripted{status: 413}, want: store.ErrTooLarge},
		"429":                {host: scripted{status: 429}, want: store.ErrTemporary},
		"307":                {host: scripted{status: 307}, want: store.ErrTemporary},
		"302":                {host: scripted{status: 302}, want: store.ErrTemporary},
		"303":                {host: scripted{status: 303}, doubt: true},
		"500":                {host: scripted{status: 500}, doubt: true, want: store.ErrTemporary},
		"502":                {host: scripted{status: 502}, doubt: true, want: store.ErrTemporary},
		"503":                {host: scripted{status: 503}, doubt: true, want: store.ErrTemporary},
		"504":                {host: scripted{status: 504}, doubt: true, want: store.ErrTemporary},
		"broken":             {host: scripted{broken: io.EOF}, doubt: true, want: store.ErrTemporary},
	} {
		t.Run(what, func(t *testing.T) {
			host := c.host
			if host.caps == "" {
				host.caps = plain
			}
			old, _ := parseHash(strings.Repeat("1", 40))
			objs, tip := chain(100, "1")
			p := moves(old, tip)
			p.Objects = objs
			r := remoteOf(t, &Client{HTTP: &host}, "http://example.org/r")
			err := r.Push(t.Context(), p)
			if (err == nil) != (what == "200") {
				t.Fatalf("got %v", err)
			}
			if got := errors.Is(err, ErrInDoubt); got != c.doubt {
				t.Errorf("got %v, want doubt: %v", err, c.doubt)
			}
			if c.want != nil && !holds(err, c.want) {
				t.Errorf("got %v, want %v", err, c.want)
			}
			// The advertisement knows no such ref; the caller's old value goes out all the same.
			if want := old.String() + " " + tip.String() + " " + name; !bytes.Contains(host.asked, []byte(want)) {
				t.Errorf("the question: got %.200q, want %q in it", host.asked, want)
			}
		})
	}
}

// holds reports whether an error is want, or has one among it that equals it.
func holds(err, want error) bool {
	var rejected *RejectedError
	var said *RemoteError
	switch w := want.(type) {
	case *RejectedError:
		return errors.As(err, &rejected) && *rejected == *w
	case *RemoteError:
		return errors.As(err, &said) && *said == *w
	}
	return errors.Is(err, want)
}

// Where there is no connection, nothing has happened.
func TestPushToNobody(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().String()
	h := kinds["git-http"](t)
	objs, tip := chain(100, "1")
	p := moves(store.Hash{}, tip)
	p.Objects = objs
	lab := labOver(t, "mem")
	client := lab.sshClient()
	client.HTTP = h.client.HTTP
	l.Close()
	for _, url := range []string{"http://" + addr + "/r", "git://" + addr + "/r", "ssh://x@" + addr + "/r"} {
		err := pushOnce(t, client, url, p)
		if !errors.Is(err, store.ErrTemporary) || errors.Is(err, ErrInDoubt) {
			t.Errorf("%s: got %v, want %v without doubt", url, err, store.ErrTemporary)
		}
	}
	// The advertisement has been read, and then the host goes: still nothing.
	server := &goneHost{}
	r := remoteOf(t, &Client{HTTP: server}, "http://example.org/r")
	if _, err := r.Able(t.Context()); err != nil {
		t.Fatal(err)
	}
	server.gone = true
	if err := r.Push(t.Context(), p); !errors.Is(err, store.ErrTemporary) || errors.Is(err, ErrInDoubt) {
		t.Errorf("host gone: got %v, want %v without doubt", err, store.ErrTemporary)
	}
}

// A goneHost advertises, and then cannot be dialled any more.
type goneHost struct{ gone bool }

func (g *goneHost) RoundTrip(r *http.Request) (*http.Response, error) {
	if g.gone {
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: errors.New("connection refused")}
	}
	service := r.URL.Query().Get("service")
	hello := script(nil, store.Hash{}.String()+" capabilities^{}\x00report-status", "0000")
	return answered(r, 200, "application/x-"+service+"-advertisement", bytes.NewReader(hello))
}

// A server that does not compare old values is not pushed to.
func TestPushNeedsComparison(t *testing.T) {
	host := &scripted{status: 200, caps: "report-status agent=" + capability.DefaultAgent()}
	r := remoteOf(t, &Client{HTTP: host}, "http://example.org/r")
	objs, tip := chain(100, "1")
	p := moves(store.Hash{}, tip)
	p.Objects = objs
	if err := r.Push(t.Context(), p); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("got %v, want %v", err, errors.ErrUnsupported)
	}
	if host.asked != nil {
		t.Errorf("got the question %q, want none", host.asked)
	}
}

// A host that advertised atomic pushes and no longer makes them is found out.
func TestAtomicGivenUp(t *testing.T) {
	host := &scripted{status: 200, caps: "report-status atomic", body: script(nil, "unpack ok", "ok refs/heads/a", "ng refs/heads/b no", "0000")}
	r := remoteOf(t, &Client{HTTP: host}, "http://example.org/r")
	objs, tip := chain(100, "1")
	err := r.Push(t.Context(), PushRequest{
		Commands: []Command{{Name: "refs/heads/a", New: tip}, {Name: "refs/heads/b", New: tip}}, Objects: objs,
	})
	if !errors.Is(err, ErrNotAtomic) || !isRejected(err) {
		t.Errorf("got %v, want %v and what was rejected", err, ErrNotAtomic)
	}
}

// What the host can do is asked again before a push is refused for it.
func TestCapabilitiesAreRenewed(t *testing.T) {
	h := stockHost(t, true)
	h.repo.git(t, "config", "receive.advertiseAtomic", "false")
	r := remoteOf(t, h.client, h.url)
	tip := grow(t, r, store.Hash{}, 1)
	two := PushRequest{Commands: []Command{{Name: "refs/heads/a", New: tip}, {Name: "refs/heads/b", New: tip}}}
	if err := r.Push(t.Context(), two); !errors.Is(err, ErrNotAtomic) {
		t.Errorf("got %v, want %v", err, ErrNotAtomic)
	}
	h.repo.git(t, "config", "receive.advertiseAtomic", "true")
	if err := r.Push(t.Context(), two); err != nil {
		t.Errorf("after the host has learned: %v", err)
	}
	h.wantRefs(t, "a", tip, "b", tip, "main", tip)
}

// A push that is given up while the host works on it is in doubt; one that is given
// up before is not.
func TestPushGivenUp(t *testing.T) {
	h := stockHost(t, true)
	r := remoteOf(t, h.client, h.url)
	first := grow(t, r, store.Hash{}, 1)
	objs, second := chain(3000, "x", first)
	p := moves(first, second)
	p.Objects = objs
	ctx, cancel := context.WithCancel(t.Context())
	h.http.losing(func(*http.Request) bool { cancel(); return false })
	err := r.Push(ctx, p)
	if !errors.Is(err, context.Canceled) || !errors.Is(err, ErrInDoubt) {
		t.Errorf("given up after it was sent: got %v, want %v in doubt", err, context.Canceled)
	}
	h.http.losing(nil)
	if err := r.Push(ctx, p); !errors.Is(err, context.Canceled) || errors.Is(err, ErrInDoubt) {
		t.Errorf("given up before: got %v, want %v without doubt", err, context.Canceled)
	}
}

// A host that falls silent is given up.
func TestSilentHost(t *testing.T) {
	silent := make(chan struct{})
	defer close(silent)
	h := stockHost(t, true)
	r := remoteOf(t, h.client, h.url)
	first := grow(t, r, store.Hash{}, 1)
	h.http.losing(func(*http.Request) bool { <-silent; return false })
	objs, second := chain(3000, "x", first)
	p := moves(first, second)
	p.Objects = objs
	sooner(t, func(patience time.Duration) error {
		h.client.Stall = patience
		slow := remoteOf(t, h.client, h.url)
		slow.wire.(*httpTransport).kept = r.wire.(*httpTransport).kept
		if err := slow.Push(t.Context(), p); !errors.Is(err, ErrInDoubt) || !errors.Is(err, store.ErrTemporary) {
			return fmt.Errorf("push: got %w, want %w", err, ErrInDoubt)
		}
		return nil
	})

	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	client := labOver(t, "mem").sshClient()
	client.Stall = 50 * time.Millisecond
	for _, scheme := range []string{"git", "ssh"} {
		if _, err := refsOnce(t, client, scheme+"://x@"+l.Addr().String()+"/r"); !errors.Is(err, store.ErrTemporary) {
			t.Errorf("%s: got %v, want %v", scheme, err, store.ErrTemporary)
		}
	}
}

// A slow hook holds up the host, not the caller, and is not cut off.
func TestSlowHook(t *testing.T) {
	for _, kind := range []string{"git-http", "git-ssh", "git-daemon"} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			h := kinds[kind](t)
			dir := t.TempDir()
			h.install(t, "post-receive", "i=0; while ! test -e "+dir+"/go && test $i -lt 1000; do sleep 0.05; i=$((i+1)); done; echo talking >&2; touch "+dir+"/done\n")
			r := remoteOf(t, h.client, h.url)
			tip := grow(t, r, store.Hash{}, 1) // returns while the hook waits
			h.wantRefs(t, "main", tip)
			if err := os.WriteFile(dir+"/go", nil, 0o666); err != nil {
				t.Fatal(err)
			}
			for deadline := time.Now().Add(time.Minute); ; time.Sleep(time.Millisecond) {
				if _, err := os.Stat(dir + "/done"); err == nil {
					return
				}
				if time.Now().After(deadline) {
					t.Fatal("the hook has not ended")
				}
			}
		})
	}
}
