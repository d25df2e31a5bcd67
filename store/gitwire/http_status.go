package gitwire

import (
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"strings"
	"time"

	"cairn/store"
)

// refuse answers with the status that an error stands for.
func (h *HTTPHandler) refuse(w http.ResponseWriter, r *http.Request, repo string, err error) {
	var status *StatusError
	switch {
	case errors.As(err, &status):
	case errors.Is(err, ErrUnauthorized):
		w.Header().Set("WWW-Authenticate", `Basic realm="cairn", charset="UTF-8"`)
		status = &StatusError{Status: http.StatusUnauthorized, Text: "log in to use this repository"}
	case errors.Is(err, fs.ErrNotExist):
		status = &StatusError{Status: http.StatusNotFound, Text: "repository not found"}
	case errors.Is(err, fs.ErrPermission):
		status = &StatusError{Status: http.StatusForbidden, Text: "you may not do this here"}
	case errors.Is(err, store.ErrTemporary):
		status = &StatusError{Status: http.StatusServiceUnavailable, Text: clientText(err), After: 10 * time.Second}
	default:
		h.log().Error("git request", "repo", repo, "err", err)
		status = &StatusError{Status: http.StatusInternalServerError, Text: "internal error"}
	}
	if status.After > 0 {
		seconds := (status.After + time.Second - 1) / time.Second
		w.Header().Set("Retry-After", fmt.Sprint(int64(seconds)))
	}
	http.Error(w, status.Text, status.Status)
}

// page tells somebody with a browser what this is.
func (h *HTTPHandler) page(w http.ResponseWriter, r *http.Request, path string) {
	if !method(w, r, http.MethodGet) {
		return
	}
	if _, ok := h.open(w, r, path, false); !ok {
		return
	}
	scheme := "http"
	if r.TLS != nil {
		scheme = "https"
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	fmt.Fprintf(w, "This is a git repository. To get a copy of it:\n\n    git clone %s://%s%s\n",
		scheme, r.Host, strings.TrimRight(r.URL.EscapedPath(), "/"))
}
