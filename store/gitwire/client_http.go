package gitwire

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// An httpTransport speaks smart HTTP (gitprotocol-http). It asks each service for
// its advertisement once and keeps what the service can do; connections are kept by
// the RoundTripper.
type httpTransport struct {
	client *Client
	url    *url.URL // without a user
	auth   string   // the Authorization header, empty for none
	life   context.Context
	end    context.CancelFunc

	mu   sync.Mutex
	kept map[string]*httpService
}

// An httpService is what is known of one service.
type httpService struct {
	base     *url.URL // the repository's, after redirects
	greeting *greeting
	heard    time.Time
}

// stale is after how long upload-pack is asked again what it can do: it may have
// learned something. receive-pack is asked when a push needs more than it could, or fails.
const stale = time.Hour

func newHTTPTransport(c *Client, u *url.URL) (*httpTransport, error) {
	if c.HTTP == nil {
		return nil, fmt.Errorf("URLs of scheme %q are not allowed here", u.Scheme)
	}
	bare := *u
	bare.User, bare.RawQuery, bare.Fragment = nil, "", ""
	h := &httpTransport{client: c, url: &bare, auth: c.authorization(u), kept: make(map[string]*httpService)}
	h.life, h.end = context.WithCancel(context.Background())
	return h, nil
}

func (h *httpTransport) close() { h.end() }

func (h *httpTransport) forget(service string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.kept, service)
}

func (h *httpTransport) known(service string) *httpService {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.kept[service]
}

func (h *httpTransport) open(ctx context.Context, service string, listing bool) (*remoteWire, error) {
	c := h.carrier(ctx, service)
	w := &remoteWire{carrier: c, progress: h.client.progress()}
	s := h.known(service)
	if s != nil && service == fetchService && time.Since(s.heard) > stale {
		s = nil
	}
	if s != nil && (!listing || s.greeting.version == 2) {
		w.kept = true
	} else {
		var err error
		if s, err = h.greet(c); err != nil {
			c.close()
			return nil, err
		}
	}
	c.base, w.greeting = s.base, s.greeting
	return w, nil
}

// greet asks for the advertisement and keeps it, apart from the refs.
func (h *httpTransport) greet(c *httpCarrier) (*httpService, error) {
	asked := h.url.JoinPath("info/refs")
	asked.RawQuery = "service=" + c.service
	resp, err := c.get(asked)
	if err != nil {
		return nil, err
	}
	if err := c.checkAnswer(resp, "application/x-"+c.service+"-advertisement"); err != nil {
		return nil, err
	}
	final := *resp.Request.URL
	path, ok := strings.CutSuffix(final.Path, "/info/refs")
	if !ok {
		return nil, fmt.Errorf("redirected to %s, which is no repository", final.Redacted())
	}
	final.Path, final.RawPath, final.RawQuery = path, "", ""
	g, err := readGreeting(newPktReader(pulseReader{resp.Body, c.pulse}), c.service)
	if err != nil {
		return nil, c.wrong(err)
	}
	c.finish()
	again := *g
	again.refs = nil
	h.mu.Lock()
	defer h.mu.Unlock()
	h.kept[c.service] = &httpService{&final, &again, time.Now()}
	return &httpService{base: &final, greeting: g}, nil
}

// An httpCarrier asks by one request for each question.
type httpCarrier struct {
	t       *httpTransport
	service string
	base    *url.URL

	caller  context.Context // of one call of Remote
	ctx     context.Context // of the requests
	cancel  context.CancelFunc
	release func() bool // ends the hold that caller has over ctx
	unbind  func() bool // and that of the transport
	pulse   *pulse

	body    io.ReadCloser  // of the last answer
	out     *outgoing      // the last question
	pipe    *io.PipeReader // its long body
	taken   *atomic.Bool   // the RoundTripper has begun to read it
	refused bool           // it has been turned away
}

func (h *httpTransport) carrier(ctx context.Context, service string) *httpCarrier {
	c := &httpCarrier{t: h, service: service, caller: ctx}
	// The values of ctx go along, for httptrace; its end does until detach.
	c.ctx, c.cancel = context.WithCancel(context.WithoutCancel(ctx))
	c.release = context.AfterFunc(ctx, c.cancel)
	c.unbind = context.AfterFunc(h.life, c.cancel)
	c.pulse = &pulse{limit: h.client.stall(), abort: c.cancel}
	c.pulse.arm()
	return c
}

func (c *httpCarrier) stateless() bool { return true }
func (c *httpCarrier) detach()         { c.release() }
func (c *httpCarrier) abort()          { c.cancel() }

// request is one request with the headers that all have.
func (c *httpCarrier) request(method string, u *url.URL, body io.Reader) (*http.Request, error) {
	req, err := http.NewRequestWithContext(c.ctx, method, u.String(), body)
	if err != nil {
		return nil, err
	}
	req.Header.Set("User-Agent", "git/2.0 ("+agent+")") // some hosts answer nobody else
	if c.service == fetchService {
		req.Header.Set("Git-Protocol", "version=2")
	}
	return req, nil
}

// get asks for the advertisement, through redirects.
func (c *httpCarrier) get(u *url.URL) (*http.Response, error) {
	req, err := c.request(http.MethodGet, u, nil)
	if err != nil {
		return nil, err
	}
	client := &http.Client{
		Transport:     &loginTransport{c.t.client.HTTP, c.t.url, c.t.auth},
		CheckRedirect: c.t.client.checkRedirect,
	}
	defer c.pulse.wait()()
	resp, err := client.Do(req)
	if err != nil {
		var u *url.Error
		if errors.As(err, &u) {
			err = u.Err // without the URL, which may be long
		}
		return nil, c.wrong(err)
	}
	c.body = resp.Body
	return resp, nil
}

// bufferBytes is up to what size a request is sent with its length told
// beforehand, which some servers require; the same as git's http.postBuffer.
const bufferBytes = 1 << 20

// ask posts a question: with its length if it is short, else in chunks while
// it is being written.
func (c *httpCarrier) ask(write func(io.Writer) error) (*pktReader, error) {
	c.finish()
	r, w := io.Pipe()
	c.out, c.pipe, c.taken, c.refused = new(outgoing), r, new(atomic.Bool), false
	c.out.wg.Go(func() { w.CloseWithError(c.out.write(pulseWriter{w, c.pulse}, write)) })
	resp, err := c.post(r)
	if err != nil {
		r.CloseWithError(errAnswered)
		return nil, err
	}
	if err := c.checkAnswer(resp, "application/x-"+c.service+"-result"); err != nil {
		r.CloseWithError(errAnswered)
		return nil, err
	}
	return newPktReader(pulseReader{resp.Body, c.pulse}), nil
}

// errAnswered is what the writer of a question learns that has been answered early.
var errAnswered = errors.New("the remote has answered before it was asked all")

func (c *httpCarrier) post(r *io.PipeReader) (*http.Response, error) {
	var first bytes.Buffer
	_, err := io.CopyN(&first, r, bufferBytes)
	short := err == io.EOF
	if err != nil && !short {
		return nil, err
	}
	body := &takenReader{Reader: bytes.NewReader(first.Bytes()), Closer: r, taken: c.taken}
	if !short {
		body.Reader = io.MultiReader(body.Reader, r)
	}
	req, err := c.request(http.MethodPost, c.base.JoinPath(c.service), body)
	if err != nil {
		return nil, err
	}
	req.ContentLength = -1
	if short {
		req.ContentLength = int64(first.Len())
		// A Transport uses it when a connection that it had kept turns out to be dead
		// before a byte has been written, or HTTP/2 says that nothing has been looked at. It never
		// sends a POST again that may have been received.
		req.GetBody = func() (io.ReadCloser, error) {
			return &takenReader{bytes.NewReader(first.Bytes()), io.NopCloser(nil), c.taken}, nil
		}
	}
	req.Header.Set("Content-Type", "application/x-"+c.service+"-request")
	req.Header.Set("Accept", "application/x-"+c.service+"-result")
	// Redirects are not followed: the advertisement has shown the way.
	defer c.pulse.wait()()
	resp, err := (&loginTransport{c.t.client.HTTP, c.t.url, c.t.auth}).RoundTrip(req)
	if err != nil {
		return nil, err
	}
	c.body = resp.Body
	return resp, nil
}

// A takenReader notes that somebody has begun to read. A Transport does so when it
// has a connection.
type takenReader struct {
	io.Reader
	io.Closer
	taken *atomic.Bool
}

func (t *takenReader) Read(p []byte) (int, error) {
	t.taken.Store(true)
	return t.Reader.Read(p)
}

func (c *httpCarrier) began() bool { return c.out != nil && c.taken.Load() }

func (c *httpCarrier) sent() bool {
	if !c.began() || c.refused {
		return false
	}
	_, whole := c.out.state()
	return whole
}

// wrong says that the host cannot be reached, if that is the reason.
func (c *httpCarrier) wrong(err error) error {
	if c.out != nil && c.body == nil {
		c.pipe.CloseWithError(errAnswered)
		if fault := c.out.fault(); fault != nil && !errors.Is(fault, errAnswered) {
			return fault
		}
	}
	switch {
	case c.caller.Err() != nil:
		return c.caller.Err()
	case c.pulse.isStalled():
		c.dropConnections()
		return away(errStalled)
	case c.t.life.Err() != nil:
		return net.ErrClosed
	}
	var broken net.Error
	if errors.As(err, &broken) || endsEarly(err) || c.began() && c.body == nil {
		return away(err)
	}
	return err
}

// dropConnections closes idle connections, one of which is dead perhaps.
func (c *httpCarrier) dropConnections() {
	if t, ok := c.t.client.HTTP.(interface{ CloseIdleConnections() }); ok {
		t.CloseIdleConnections()
	}
}

// finish reads the end of the last answer, without which a connection is not
// used again, and not much more.
func (c *httpCarrier) finish() {
	if c.body == nil {
		return
	}
	_, _ = io.CopyN(io.Discard, pulseReader{c.body, c.pulse}, maxTrailing)
	c.body.Close()
	c.body = nil
}

func (c *httpCarrier) close() {
	c.cancel()
	c.release()
	c.unbind()
	if c.pipe != nil {
		c.pipe.CloseWithError(errAnswered)
		c.out.wg.Wait()
	}
	if c.body != nil {
		c.body.Close()
	}
}
