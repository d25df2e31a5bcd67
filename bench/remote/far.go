package remote

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"cairn/bench/stock"
	"cairn/net/cable"
	"cairn/net/stack"
	"cairn/store"
	"cairn/store/gitdir"
	"cairn/store/gitwire"
)

// roundTrip is how long it takes to the host and back.
const roundTrip = 20 * time.Millisecond

// A far is a git host at the other end of a cable.
type far struct {
	near  *stack.Stack // this end
	url   string       // from this end
	close func()
}

const (
	nearAddr = "10.0.0.1"
	farAddr  = "10.0.0.2"
	farPort  = "80"
)

// newFar serves a repository at the far end of a cable with our own server.
func newFar(dir *gitdir.Dir) (*far, error) {
	a, b := cable.New(cable.Options{Delay: roundTrip / 2})
	near, err := stack.New(a, stack.Options{IPv4: netip.MustParsePrefix(nearAddr + "/24"), NoProbes: true})
	if err != nil {
		return nil, err
	}
	host, err := stack.New(b, stack.Options{IPv4: netip.MustParsePrefix(farAddr + "/24"), NoProbes: true})
	if err != nil {
		return nil, errors.Join(err, near.Close())
	}
	l, err := host.Listen(context.Background(), "tcp", ":"+farPort)
	if err != nil {
		return nil, errors.Join(err, near.Close(), host.Close())
	}
	view := &gitwire.View{
		Backend: dir,
		Head:    "refs/heads/main",
		Refs: func(ctx context.Context) (refs []store.Ref, err error) {
			for ref, err := range dir.Refs(ctx, "refs/") {
				if err != nil {
					return nil, err
				}
				refs = append(refs, ref)
			}
			return refs, nil
		},
		Real:  func(name string) (string, error) { return name, nil },
		Allow: func(context.Context, *gitwire.Push, gitwire.Command) error { return nil },
	}
	server := &http.Server{Handler: &gitwire.HTTPHandler{Open: func(http.ResponseWriter, *http.Request, string, bool) (*gitwire.View, error) {
		return view, nil
	}}}
	var serving sync.WaitGroup
	serving.Go(func() { server.Serve(l) })
	return &far{near: near, url: "http://" + farAddr + ":" + farPort + "/r", close: func() {
		server.Close()
		serving.Wait()
		near.Close()
		host.Close()
	}}, nil
}

// client reaches the host over the cable.
func (f *far) client() *gitwire.Client {
	return &gitwire.Client{HTTP: &http.Transport{DialContext: f.dial, MaxIdleConnsPerHost: 8}}
}

func (f *far) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	return f.near.Dial(ctx, network, addr)
}

// door lets programs of this machine reach the host over the cable, and returns the URL for
// them.
func (f *far) door() (url string, close func(), err error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", nil, err
	}
	var open sync.WaitGroup
	ctx, cancel := context.WithCancel(context.Background())
	open.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			open.Go(func() { f.relay(ctx, c) })
		}
	})
	return "http://" + l.Addr().String() + "/r", func() {
		cancel()
		l.Close()
		open.Wait()
	}, nil
}

func (f *far) relay(ctx context.Context, c net.Conn) {
	defer c.Close()
	there, err := f.dial(ctx, "tcp", farAddr+":"+farPort)
	if err != nil {
		return
	}
	defer there.Close()
	defer context.AfterFunc(ctx, func() { c.Close(); there.Close() })()
	var answers sync.WaitGroup
	answers.Go(func() {
		io.Copy(c, there)
		c.(*net.TCPConn).CloseWrite()
	})
	io.Copy(there, c)
	if half, ok := there.(interface{ CloseWrite() error }); ok {
		half.CloseWrite()
	}
	answers.Wait()
}

// fill makes a repository of a corpus, for the host.
func fill(ctx context.Context, path string, corpus stock.Corpus) (stock.Git, error) {
	var s stock.Stream
	s.Tree(corpus)
	return stock.New(ctx, path, s.Data)
}
