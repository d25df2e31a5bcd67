package queue

import (
	"crypto/tls"
	"fmt"
	"strconv"

	"cairn/services/mail/queue/client"
)

func (w *worker) insecure(h hop, err error) error {
	why := "its domain's MTA-STS policy asks for (RFC 8461)"
	if h.relay != nil {
		why = "a smarthost must have"
	}
	return &answer{status: "4.7.5", Text: client.Printable(fmt.Sprintf("%s has no TLS such as %s: %v", h.host, why, err), maxAnswer)}
}

// tlsConfig is strict where somebody has said whom we should meet. Elsewhere anybody may have put the
// host's name into the DNS, so that a certificate for it says nothing, and TLS is against those who
// only listen.
func (q *Queue) tlsConfig(h hop) *tls.Config {
	if h.secure {
		return &tls.Config{ServerName: h.host, RootCAs: q.o.Roots, Time: q.o.Now, MinVersion: tls.VersionTLS12}
	}
	return &tls.Config{ServerName: h.host, InsecureSkipVerify: true, Time: q.o.Now, MinVersion: tls.VersionTLS10}
}

// lacks returns the answer to an entry that the server cannot take; nil if it can.
func (w *worker) lacks(e *entry) *answer {
	final := func(status, format string, args ...any) *answer {
		return &answer{final: true, status: status, Text: w.host + " " + fmt.Sprintf(format, args...)}
	}
	limit, _ := w.conn.Has("SIZE")
	most, _ := strconv.ParseInt(limit, 10, 64)
	_, eight := w.conn.Has("8BITMIME")
	_, utf8 := w.conn.Has("SMTPUTF8")
	_, chunking := w.conn.Has("CHUNKING")
	_, binary := w.conn.Has("BINARYMIME")
	_, require := w.conn.Has("REQUIRETLS")
	switch {
	case e.RequireTLS && !(w.secure && require && w.conn.TLS() != nil):
		return final("5.7.30", "cannot promise that this message travels under TLS only, as its sender asks (RFC 8689)")
	case most > 0 && e.Size > most:
		return final("5.3.4", "takes messages of %d bytes at most, and this one has %d", most, e.Size)
	case e.UTF8 && !utf8:
		return final("5.6.7", "does not take addresses or headers with letters outside of ASCII (SMTPUTF8)")
	case e.Binary && !(chunking && binary):
		return final("5.6.3", "does not take messages that are not made of lines (BINARYMIME)")
	case e.EightBit && !e.Binary && !eight:
		return final("5.6.3", "does not take messages with bytes above 127 (8BITMIME)")
	}
	return nil
}
