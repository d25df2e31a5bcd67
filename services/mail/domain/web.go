package domain

import (
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"strings"
)

// A Web tells mail programs, and servers of others, where things are. It answers for the host names
// autoconfig., autodiscover. and mta-sts. of domains, and, of their paths, for any.
type Web struct {
	// Find returns what is known of a domain; absent is fs.ErrNotExist.
	Find func(ctx context.Context, domain string) (*Setup, error)
	// Default is the domain of a request that names none, "" for none.
	Default func(ctx context.Context) string
	Ports   Ports        // where the servers are
	Log     *slog.Logger // default: discard
}

// Ports are those that programs use; 0 is none.
type Ports struct{ IMAPS, IMAP, Submissions, Submission int }

// Standard are the ports that the world knows.
var Standard = Ports{993, 143, 465, 587}

// Paths that are answered, whatever the host.
const (
	autoconfigPath  = "/mail/config-v1.1.xml"
	autoconfigKnown = "/.well-known/autoconfig/mail/config-v1.1.xml"
	autodiscover    = "/autodiscover/autodiscover.xml" // in any case of letters
)

// Handles reports whether a request is the Web's, and no site's.
func Handles(r *http.Request) bool {
	path := r.URL.Path
	if !strings.HasSuffix(path, ".xml") && path != policyPath { // almost all
		return false
	}
	host, _, _ := strings.Cut(strings.ToLower(r.Host), ".")
	switch path = strings.ToLower(path); path {
	case autoconfigKnown, autodiscover:
		return true
	case autoconfigPath:
		return host == "autoconfig"
	case policyPath:
		return host == "mta-sts"
	}
	return false
}

// ServeHTTP implements http.Handler.
func (w *Web) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	switch path := strings.ToLower(r.URL.Path); {
	case path == autodiscover && r.Method == http.MethodPost:
		w.autodiscover(rw, r)
	case path == autodiscover:
		rw.Header().Set("Allow", "POST")
		http.Error(rw, "Mail programs POST here.", http.StatusMethodNotAllowed)
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		rw.Header().Set("Allow", "GET, HEAD")
		http.Error(rw, "This is only read.", http.StatusMethodNotAllowed)
	case path == policyPath:
		w.policy(rw, r)
	case path == autoconfigPath, path == autoconfigKnown:
		w.autoconfig(rw, r)
	default:
		http.Error(rw, "Here mail programs find their servers.", http.StatusNotFound)
	}
}

// of finds the domain of a request: that of an address, or else what the host's name says.
func (w *Web) of(r *http.Request, address string) (*Setup, error) {
	_, domain, _ := strings.Cut(address, "@")
	if domain == "" {
		host := hostOf(r)
		if s, err := w.Find(r.Context(), host); err == nil {
			return s, nil
		}
		_, domain, _ = strings.Cut(host, ".")
	}
	s, err := w.Find(r.Context(), strings.ToLower(domain))
	if errors.Is(err, fs.ErrNotExist) && address == "" && w.Default != nil {
		if d := w.Default(r.Context()); d != "" {
			return w.Find(r.Context(), d)
		}
	}
	return s, err
}

// hostOf is the name that a request was sent to, without a port.
func hostOf(r *http.Request) string {
	host := strings.ToLower(r.Host)
	if name, _, err := net.SplitHostPort(host); err == nil {
		return name
	}
	return host
}

func (w *Web) policy(rw http.ResponseWriter, r *http.Request) {
	s, err := w.Find(r.Context(), strings.TrimPrefix(hostOf(r), "mta-sts."))
	if err != nil || s.PolicyText() == "" {
		w.fail(rw, err, "No policy is published for this domain.")
		return
	}
	rw.Header().Set("Content-Type", "text/plain; charset=utf-8")
	rw.Header().Set("Cache-Control", "max-age=300")
	io.WriteString(rw, s.PolicyText())
}

// fail answers that there is nothing, or that it cannot be told now.
func (w *Web) fail(rw http.ResponseWriter, err error, words string) {
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		if w.Log != nil {
			w.Log.Error("settings of a domain cannot be read", "err", err)
		}
		http.Error(rw, "The settings cannot be read at the moment.", http.StatusServiceUnavailable)
		return
	}
	http.Error(rw, words, http.StatusNotFound)
}

// A server is one that programs are told of.
type server struct {
	kind, host, tls, autodiscover string
	port                          int
}

func (s *Setup) servers(p Ports) (in, out []server) {
	for _, v := range []server{{"imap", s.Host, "SSL", "IMAP", p.IMAPS}, {"imap", s.Host, "STARTTLS", "IMAP", p.IMAP}} {
		if v.port != 0 {
			in = append(in, v)
		}
	}
	for _, v := range []server{{"smtp", s.Host, "SSL", "SMTP", p.Submissions}, {"smtp", s.Host, "STARTTLS", "SMTP", p.Submission}} {
		if v.port != 0 {
			out = append(out, v)
		}
	}
	return in, out
}

// escaped is text as it stands in XML.
func escaped(s string) string {
	var b strings.Builder
	xml.EscapeText(&b, []byte(s)) // a strings.Builder takes everything
	return b.String()
}

// xmlAnswer sends a document.
func xmlAnswer(rw http.ResponseWriter, kind, doc string) {
	rw.Header().Set("Content-Type", kind+"; charset=utf-8")
	rw.Header().Set("Cache-Control", "no-store") // what an address asks for is nobody else's
	rw.Header().Set("Content-Length", fmt.Sprint(len(doc)))
	io.WriteString(rw, doc)
}
