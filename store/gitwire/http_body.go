package gitwire

import (
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"time"
)

// maxUploadRequest bounds the body of a fetch in bytes, unpacked: more than
// maxWants wants and a million haves.
const maxUploadRequest = 128 << 20

// minProgress is how many bytes a client has to send within Stall.
const minProgress = 16 << 10

// body is the request's body, unpacked and bounded, which fails when the client
// stands still.
func (h *HTTPHandler) body(w http.ResponseWriter, r *http.Request, s service) (io.Reader, error) {
	var body io.Reader = &stallReader{r: r.Body, rc: http.NewResponseController(w), stall: h.stall()}
	switch encoding := r.Header.Get("Content-Encoding"); encoding {
	case "", "identity":
	case "gzip", "x-gzip":
		body = &gunzipReader{r: body}
	default:
		return nil, &StatusError{
			Status: http.StatusUnsupportedMediaType,
			Text:   fmt.Sprintf("Content-Encoding %.64q is not supported", encoding),
		}
	}
	if !s.write {
		// A pack has a limit of its own, in View.Limits.
		body = &boundedReader{r: body, left: maxUploadRequest}
	}
	return body, nil
}

func (h *HTTPHandler) stall() time.Duration {
	if h.Stall == 0 {
		return DefaultStall
	}
	return h.Stall
}

// A stallReader gives the client a new deadline whenever minProgress bytes have
// arrived. At the end it lifts the deadline, which would otherwise hit the
// server's own wait for the client to leave.
type stallReader struct {
	r     io.Reader
	rc    *http.ResponseController
	stall time.Duration

	begun bool
	since int   // bytes since the deadline was set
	err   error // the first error sticks: after it there is no deadline
}

func (s *stallReader) Read(p []byte) (int, error) {
	if s.err != nil {
		return 0, s.err
	}
	if !s.begun || s.since >= minProgress {
		s.begun, s.since = true, 0
		// Where deadlines are not supported, the caller has its own.
		_ = s.rc.SetReadDeadline(time.Now().Add(s.stall))
	}
	n, err := s.r.Read(p)
	s.since += n
	if err != nil {
		s.err = err
		_ = s.rc.SetReadDeadline(time.Time{})
	}
	return n, err
}

// A gunzipReader unpacks; it reads nothing before it is read.
type gunzipReader struct {
	r io.Reader
	z *gzip.Reader
}

func (g *gunzipReader) Read(p []byte) (int, error) {
	if g.z == nil {
		z, err := gzip.NewReader(g.r)
		if err != nil {
			return 0, gzipError(err)
		}
		g.z = z
	}
	n, err := g.z.Read(p)
	return n, gzipError(err)
}

// gzipError tells the client of bytes that are no gzip.
func gzipError(err error) error {
	if err == gzip.ErrHeader || err == gzip.ErrChecksum {
		return badRequest("the request is not valid gzip")
	}
	return err
}

// A boundedReader fails when there is more to read than it may.
type boundedReader struct {
	r    io.Reader
	left int64
}

func (b *boundedReader) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, badRequest("the request is larger than %d bytes", maxUploadRequest)
	}
	n, err := b.r.Read(p[:min(int64(len(p)), b.left)])
	b.left -= int64(n)
	return n, err
}

// limitWriter is the response, with a deadline for each write. When body is a
// fetch's, the end of it is read before the first write, so that the server
// notices when the client leaves.
func (h *HTTPHandler) limitWriter(w http.ResponseWriter, body io.Reader) io.Writer {
	bounded, _ := body.(*boundedReader)
	return &stallWriter{w: w, rc: http.NewResponseController(w), stall: h.stall(), body: bounded}
}

// A stallWriter fails when a write takes too long. Small pieces, which are
// messages, go out at once.
type stallWriter struct {
	w     http.ResponseWriter
	rc    *http.ResponseController
	stall time.Duration
	body  *boundedReader // to be read to its end, or nil
}

// flushBelow is the size in bytes of what counts as a message.
const flushBelow = 4 << 10

func (s *stallWriter) Write(p []byte) (int, error) {
	if s.body != nil {
		// What follows the request proper is nothing, or not for us.
		_, _ = io.CopyN(io.Discard, s.body, minProgress)
		s.body = nil
	}
	_ = s.rc.SetWriteDeadline(time.Now().Add(s.stall))
	n, err := s.w.Write(p)
	if err == nil && len(p) < flushBelow {
		// A server that cannot flush sends later.
		_ = s.rc.Flush()
	}
	return n, err
}
