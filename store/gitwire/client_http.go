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
	"net/url"
	"strings"
	"sync"

	"cairn/store"
)

// bufferBytes is up to what size a request is sent with its length told
// beforehand, which some servers require; the same as git's http.postBuffer.
const bufferBytes = 1 << 20

// An httpCarrier speaks smart HTTP (gitprotocol-http): one request for the
// advertisement, then one for each question.
type httpCarrier struct {
	ctx     context.Context // of one call of Client, which the carrier does not outlive
	cancel  context.CancelFunc
	client  *http.Client
	base    *url.URL // the repository's, after redirects
	service string
	proto   int

	greeting *pktReader
	bodies   []io.Closer
	writers  sync.WaitGroup // of questions, which bodies hold the other end of
}

func (c *Client) openHTTP(ctx context.Context, u *url.URL, service string, proto int) (carrier, error) {
	if c.HTTP == nil {
		return nil, fmt.Errorf("URLs of scheme %q are not allowed here", u.Scheme)
	}
	ctx, cancel := context.WithCancel(ctx)
	h := &httpCarrier{ctx: ctx, cancel: cancel, service: service, proto: proto}
	auth := u.User
	if auth == nil && c.User != "" {
		auth = url.UserPassword(c.User, c.Password)
	}
	h.client = &http.Client{
		Transport:     &loginTransport{c.HTTP, u, auth},
		CheckRedirect: c.checkRedirect,
	}
	bare := *u
	bare.User, bare.RawQuery, bare.Fragment = nil, "", ""
	h.base = &bare
	if err := h.greet(); err != nil {
		h.close()
		return nil, err
	}
	return h, nil
}

// greet asks for the advertisement.
func (h *httpCarrier) greet() error {
	asked := h.base.JoinPath("info/refs")
	asked.RawQuery = "service=" + h.service
	resp, err := h.do(http.MethodGet, asked, nil, 0)
	if err != nil {
		return err
	}
	if err := checkAnswer(resp, "application/x-"+h.service+"-advertisement"); err != nil {
		return err
	}
	final := *resp.Request.URL
	path, ok := strings.CutSuffix(final.Path, "/info/refs")
	if !ok {
		return fmt.Errorf("redirected to %s, which is no repository", final.Redacted())
	}
	final.Path, final.RawPath, final.RawQuery = path, "", ""
	h.base = &final
	h.greeting = newPktReader(resp.Body)
	return nil
}

// do sends one request. size is -1 for a body of unknown length.
func (h *httpCarrier) do(method string, u *url.URL, body io.Reader, size int64) (*http.Response, error) {
	req, err := http.NewRequestWithContext(h.ctx, method, u.String(), body)
	if err != nil {
		return nil, err
	}
	req.Header.Set("User-Agent", "git/2.0 ("+agent+")") // some hosts answer nobody else
	if h.proto > 0 {
		req.Header.Set("Git-Protocol", fmt.Sprintf("version=%d", h.proto))
	}
	if body != nil {
		req.ContentLength = size
		req.Header.Set("Content-Type", "application/x-"+h.service+"-request")
		req.Header.Set("Accept", "application/x-"+h.service+"-result")
	}
	resp, err := h.client.Do(req)
	if err != nil {
		return nil, h.wrong(err)
	}
	h.bodies = append(h.bodies, resp.Body)
	return resp, nil
}

// wrong says that the host cannot be reached, if that is the reason.
func (h *httpCarrier) wrong(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		err = u.Err // without the URL, which may hold a password
	}
	if ctxErr := h.ctx.Err(); ctxErr != nil {
		return ctxErr
	}
	var broken net.Error
	if errors.As(err, &broken) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("%w: %w", store.ErrTemporary, err)
	}
	return err
}

// checkAnswer returns the error that a response's status stands for.
func checkAnswer(resp *http.Response, contentType string) error {
	switch code := resp.StatusCode; {
	case code == http.StatusUnauthorized:
		return ErrUnauthorized
	case code == http.StatusForbidden:
		return fmt.Errorf("%s: %w", resp.Status, fs.ErrPermission)
	case code == http.StatusNotFound, code == http.StatusGone:
		return fmt.Errorf("%s: %w", resp.Status, fs.ErrNotExist)
	case code >= 500, code == http.StatusTooManyRequests:
		return fmt.Errorf("%s: %w", cut(resp.Status, 100), store.ErrTemporary)
	case code != http.StatusOK:
		return &RemoteError{oneLine(resp.Status)}
	}
	if got := resp.Header.Get("Content-Type"); got != contentType {
		return fmt.Errorf("it is not a git repository: got %q, want %q", cut(got, 100), contentType)
	}
	return nil
}

func (h *httpCarrier) hello() *pktReader { return h.greeting }

// ask posts a question: with its length if it is short, else in chunks while
// it is being written.
func (h *httpCarrier) ask(write func(io.Writer) error) (*pktReader, error) {
	r, w := io.Pipe()
	h.bodies = append(h.bodies, r)
	h.writers.Go(func() { w.CloseWithError(write(w)) })
	resp, err := h.post(r)
	if err != nil {
		return nil, err
	}
	if err := checkAnswer(resp, "application/x-"+h.service+"-result"); err != nil {
		return nil, err
	}
	return newPktReader(resp.Body), nil
}

func (h *httpCarrier) post(r io.Reader) (*http.Response, error) {
	first := make([]byte, bufferBytes)
	n, err := io.ReadFull(r, first)
	short := errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
	if err != nil && !short {
		return nil, err
	}
	u := h.base.JoinPath(h.service)
	if short {
		return h.do(http.MethodPost, u, bytes.NewReader(first[:n]), int64(n))
	}
	return h.do(http.MethodPost, u, io.MultiReader(bytes.NewReader(first), r), -1)
}

func (h *httpCarrier) close() {
	h.cancel()
	for _, b := range h.bodies {
		b.Close()
	}
	h.writers.Wait()
}
