package fault

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"time"
)

// maxRequest is the longest request that is sent twice, in bytes.
const maxRequest = 8 << 20

// quiet is how long a host must say nothing for its answer to be over, where
// the proxy cannot read it; patience is how long any answer may take.
const (
	quiet    = 50 * time.Millisecond
	patience = 60 * time.Second
)

// keep remembers part of the request.
func (t *turn) keep(data []byte) {
	if len(t.request) <= maxRequest {
		t.request = append(t.request, data...)
	}
}

// isHTTP says whether bytes begin a request that may have been sent to git.
func isHTTP(data []byte) bool {
	return bytes.HasPrefix(data, []byte("POST /")) || bytes.HasPrefix(data, []byte("GET /"))
}

// whole says whether it is one whole request of HTTP.
func whole(request []byte) bool {
	r, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(request)))
	if err == nil {
		_, err = io.Copy(io.Discard, r.Body)
	}
	return err == nil
}

// swallow reads the whole answer, which the client does not get.
func (c *conn) swallow(t *turn, begun []byte) {
	c.proxy.note(c, t.fault)
	defer c.reset()
	if !isHTTP(t.request) {
		untilQuiet(c.host)
		return
	}
	_ = readAnswer(io.MultiReader(bytes.NewReader(begun), c.host)) // it is over, however it ends
}

func readAnswer(r io.Reader) error {
	answer, err := http.ReadResponse(bufio.NewReader(r), nil)
	if err == nil {
		_, err = io.Copy(io.Discard, answer.Body)
	}
	return err
}

// untilQuiet reads until nothing comes for a while.
func untilQuiet(host *net.TCPConn) {
	buf := make([]byte, 32<<10)
	for {
		if err := host.SetReadDeadline(time.Now().Add(quiet)); err != nil {
			return
		}
		if _, err := host.Read(buf); err != nil {
			return
		}
	}
}

// doubleFirst reads the rest of a request, lets the host serve it on another
// connection, and then passes it on.
func (c *conn) doubleFirst(t *turn, to, from *net.TCPConn, data []byte) bool {
	t.begun = true
	if !isHTTP(data) {
		return c.write(to, data)
	}
	var all bytes.Buffer
	in := bufio.NewReader(io.TeeReader(io.MultiReader(bytes.NewReader(data), from), &all))
	r, err := http.ReadRequest(in)
	if err == nil {
		_, err = io.Copy(io.Discard, r.Body)
	}
	if err != nil {
		c.reset()
		return false
	}
	c.proxy.note(c, t.fault)
	c.proxy.again(all.Bytes())
	return c.write(to, all.Bytes())
}

// doubleLater sends the request again, once its answer has begun and the pause
// is over.
func (c *conn) doubleLater(t *turn) {
	t.begun = true
	if !isHTTP(t.request) || !whole(t.request) {
		return
	}
	p, f, request := c.proxy, t.fault, t.request
	p.done.Go(func() {
		timer := time.NewTimer(f.Pause)
		defer timer.Stop()
		select {
		case <-timer.C:
			p.note(c, f)
			p.again(request)
		case <-p.gone:
		}
	})
}

// again has the host serve a request, whose answer nobody gets.
func (p *Proxy) again(request []byte) {
	host, err := net.Dial("tcp", p.target)
	if err != nil {
		return // it is away
	}
	defer host.Close()
	if err := host.SetDeadline(time.Now().Add(patience)); err != nil {
		return
	}
	if _, err := host.Write(request); err != nil {
		return
	}
	if err := readAnswer(host); errors.Is(err, os.ErrDeadlineExceeded) {
		p.t.Errorf("proxy: a request sent twice was not answered the first time")
	}
}
