package gitwire

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net/http"
	"strings"
	"time"
)

// An HTTPHandler serves repositories over git's smart HTTP protocol
// (gitprotocol-http): the repository's path followed by /info/refs,
// /git-upload-pack or /git-receive-pack. The path alone answers a browser with
// the command that clones it.
type HTTPHandler struct {
	// Open returns the view of a repository for the user who asks. repo is the
	// URL's path without slashes at its ends; write says that the user wants
	// to push. ErrUnauthorized, fs.ErrNotExist, fs.ErrPermission,
	// store.ErrTemporary and *StatusError choose the status; other errors are
	// 500. Nothing of the request's body has been read when it is called.
	Open func(w http.ResponseWriter, r *http.Request, repo string, write bool) (*View, error)

	// Log is told of requests that went wrong; nil discards.
	Log *slog.Logger

	// Stall is how long a client may stand still while it sends or receives;
	// zero means DefaultStall.
	Stall time.Duration

	searches keptSearches
	waits    waitRoom
}

// DefaultStall is the Stall of a handler that has none.
const DefaultStall = 2 * time.Minute

// A StatusError is an error that an Open function wants answered with a status
// of its own, such as 429.
type StatusError struct {
	Status int
	Text   string        // for the client
	After  time.Duration // when to try again, rounded up to seconds; zero says nothing
}

func (e *StatusError) Error() string { return e.Text }

// A service is one half of the protocol.
type service struct {
	name  string
	write bool
	serve func(ctx context.Context, v *View, proto int, in io.Reader, out io.Writer, stateless, advertise bool) error
}

var services = []service{
	{"git-upload-pack", false, serveUpload},
	{"git-receive-pack", true, serveReceive},
}

// dumb are the paths that clients of the dumb protocol ask for.
var dumb = []string{"/HEAD", "/objects/info/packs", "/objects/info/alternates", "/objects/info/http-alternates"}

func (h *HTTPHandler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	header := w.Header()
	header.Set("Cache-Control", "no-cache, max-age=0, must-revalidate")
	header.Set("Expires", "Fri, 01 Jan 1980 00:00:00 GMT")
	header.Set("Pragma", "no-cache")
	header.Set("X-Content-Type-Options", "nosniff")

	path := r.URL.Path
	if repo, ok := strings.CutSuffix(path, "/info/refs"); ok {
		h.infoRefs(w, r, repo)
		return
	}
	for _, s := range services {
		if repo, ok := strings.CutSuffix(path, "/"+s.name); ok {
			h.rpc(w, r, repo, s)
			return
		}
	}
	for _, suffix := range dumb {
		if strings.HasSuffix(path, suffix) {
			refuseDumb(w)
			return
		}
	}
	h.page(w, r, path)
}

// refuseDumb answers clients that would read the repository's files.
func refuseDumb(w http.ResponseWriter) {
	http.Error(w, "This server speaks git's smart HTTP protocol only; use git 1.6.6 or newer.", http.StatusForbidden)
}

// method refuses other methods than those named. HEAD goes where GET does.
func method(w http.ResponseWriter, r *http.Request, allowed string) bool {
	if r.Method == allowed || r.Method == http.MethodHead && allowed == http.MethodGet {
		return true
	}
	if allowed == http.MethodGet {
		allowed = "GET, HEAD"
	}
	w.Header().Set("Allow", allowed)
	http.Error(w, "method not allowed", http.StatusMethodNotAllowed)
	return false
}

// infoRefs answers with a service's advertisement.
func (h *HTTPHandler) infoRefs(w http.ResponseWriter, r *http.Request, repo string) {
	if !method(w, r, http.MethodGet) {
		return
	}
	name := r.URL.Query().Get("service")
	if name == "" {
		refuseDumb(w)
		return
	}
	for _, s := range services {
		if s.name != name {
			continue
		}
		v, ok := h.open(w, r, repo, s.write)
		if !ok {
			return
		}
		w.Header().Set("Content-Type", "application/x-"+s.name+"-advertisement")
		proto := s.protocol(r)
		out := h.limitWriter(w, nil)
		if proto != 2 {
			head := newPktWriter(out)
			head.linef("# service=%s\n", s.name)
			head.flush()
			head.send()
		}
		h.run(r, repo, s, func() error {
			return s.serve(r.Context(), v, proto, strings.NewReader(""), out, true, true)
		})
		return
	}
	http.Error(w, fmt.Sprintf("unknown service %.64q", name), http.StatusForbidden)
}

// rpc runs a service on the request's body.
func (h *HTTPHandler) rpc(w http.ResponseWriter, r *http.Request, repo string, s service) {
	if !method(w, r, http.MethodPost) {
		return
	}
	want := "application/x-" + s.name + "-request"
	if got := r.Header.Get("Content-Type"); got != want {
		http.Error(w, fmt.Sprintf("expected POST with Content-Type %q, got %.64q", want, got), http.StatusUnsupportedMediaType)
		return
	}
	v, ok := h.open(w, r, repo, s.write)
	if !ok {
		return
	}
	body, err := h.body(w, r, s)
	if err != nil {
		h.refuse(w, r, repo, err)
		return
	}
	w.Header().Set("Content-Type", "application/x-"+s.name+"-result")
	// A client may be answered before it has sent everything (progress of a
	// push), so the server must not close the body at the first write. HTTP/2
	// needs no leave and says that it does not know of it.
	_ = http.NewResponseController(w).EnableFullDuplex()
	out := h.limitWriter(w, body)
	h.run(r, repo, s, func() error {
		return s.serve(r.Context(), v, s.protocol(r), body, out, true, false)
	})
}

// run calls a service and logs what went wrong. A response that cannot say so
// itself is cut off.
func (h *HTTPHandler) run(r *http.Request, repo string, s service, f func() error) {
	err := guard(f)
	if err == nil || errors.Is(err, errHungUp) {
		return
	}
	level := slog.LevelWarn
	var bad requestError
	if errors.As(err, &bad) || r.Context().Err() != nil {
		level = slog.LevelInfo
	}
	h.log().Log(r.Context(), level, "git request", "service", s.name, "repo", repo, "err", err)
	if errors.Is(err, errTruncated) {
		panic(http.ErrAbortHandler)
	}
}

func (h *HTTPHandler) log() *slog.Logger {
	if h.Log == nil {
		return slog.New(slog.DiscardHandler)
	}
	return h.Log
}

// open opens the view, or answers why not.
func (h *HTTPHandler) open(w http.ResponseWriter, r *http.Request, path string, write bool) (*View, bool) {
	repo := strings.Trim(path, "/")
	if repo != "" && !fs.ValidPath(repo) {
		h.refuse(w, r, repo, fs.ErrNotExist)
		return nil, false
	}
	v, err := h.Open(w, r, repo, write)
	if err != nil {
		h.refuse(w, r, repo, err)
		return nil, false
	}
	mine := *v // it may be shared
	mine.searches, mine.waits = &h.searches, &h.waits
	return &mine, true
}

// protocol is the version that the client asks for in its Git-Protocol header,
// a list of keys and values between colons. Pushes know no version 2.
func (s service) protocol(r *http.Request) int {
	proto := 0
	for key := range strings.SplitSeq(r.Header.Get("Git-Protocol"), ":") {
		switch {
		case key == "version=2" && !s.write:
			proto = 2
		case key == "version=1":
			proto = max(proto, 1)
		}
	}
	return proto
}
