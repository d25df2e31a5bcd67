package image

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"cairn/libos/metal/vm"
)

const (
	// retry is how long the boot benchmark waits for a connection before it tries anew: the
	// guest loses what comes before it is there, and TCP would wait a second.
	retry = 10 * time.Millisecond
	// patience is how long a machine may take to serve.
	patience = 2 * time.Minute
)

// first returns the time from now until the first byte of an answer, and fails
// when the machine ends before.
func (b *bench) first(ctx context.Context, v *vm.VM, port string) (time.Duration, error) {
	began := time.Now()
	for {
		if time.Since(began) > patience {
			return 0, fmt.Errorf("no answer; the console:\n%s", v.Console())
		}
		if v.Ended() {
			return 0, fmt.Errorf("the machine has ended; its console:\n%s", v.Console())
		}
		c, err := b.place.dial(ctx, port, retry)
		if ctx.Err() != nil {
			return 0, ctx.Err()
		}
		if err == nil {
			err = ask(c, port == "443")
			c.Close()
		}
		if err == nil {
			return time.Since(began), nil
		}
		if errors.Is(err, io.EOF) || !isTimeout(err) {
			time.Sleep(time.Millisecond) // refused, or reset
		}
	}
}

func isTimeout(err error) bool {
	var e net.Error
	return errors.As(err, &e) && e.Timeout()
}

// ask sends a request and waits for the first bytes of the answer.
func ask(c net.Conn, secure bool) error {
	c.SetDeadline(time.Now().Add(patience))
	if secure {
		c = tls.Client(c, &tls.Config{InsecureSkipVerify: true, ServerName: guestName})
	}
	if _, err := fmt.Fprintf(c, "GET / HTTP/1.1\r\nHost: %s\r\n\r\n", guestAddress); err != nil {
		return err
	}
	status := make([]byte, len("HTTP/1.1 200"))
	if _, err := io.ReadFull(c, status); err != nil {
		return err
	}
	if string(status) != "HTTP/1.1 200" {
		return fmt.Errorf("the answer begins with %q", status)
	}
	return nil
}

// guestName is what TLS calls the guest.
const guestName = "www.bench.test"

// client asks the guest for pages, over connections that are kept.
func (b *bench) client() *http.Client {
	return &http.Client{Timeout: patience, Transport: &http.Transport{
		DialContext: func(ctx context.Context, _, address string) (net.Conn, error) {
			_, port, err := net.SplitHostPort(address)
			if err != nil {
				return nil, err
			}
			return b.place.dial(ctx, port, patience)
		},
		TLSClientConfig: &tls.Config{InsecureSkipVerify: true, ServerName: guestName},
	}}
}

// site is the URL of the guest's site on that port.
func site(port string) string {
	if port == "443" {
		return "https://" + guestAddress
	}
	return "http://" + guestAddress
}

// fetch makes sure that every page is served as it is.
func (b *bench) fetch(port string) error {
	client := b.client()
	defer client.CloseIdleConnections()
	for i := range files {
		path := "/"
		if i > 0 {
			path = fmt.Sprintf("/page-%d.html", i)
		}
		res, err := client.Get(site(port) + path)
		if err != nil {
			return err
		}
		got, err := io.ReadAll(res.Body)
		res.Body.Close()
		if err != nil {
			return err
		}
		if !bytes.Equal(got, page) {
			return fmt.Errorf("GET %s: got %s and %d bytes, want the page", path, res.Status, len(got))
		}
	}
	return nil
}
