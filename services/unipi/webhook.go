package unipi

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
)

// maxHookBody bounds what a forge may say about a push, in bytes: GitHub's own
// limit is 25 MiB, and what we read of it is thrown away.
const maxHookBody = 25 << 20

// A Webhook takes a forge's report of a push and wakes the site's follower. It
// believes a report that is signed with the site's secret: X-Hub-Signature-256
// (GitHub; Gitea and Forgejo send it too) or X-Gitea-Signature, X-Forgejo-Signature.
type Webhook struct {
	// Secret returns the secret of a site; false: it has no webhook.
	Secret func(site string) ([]byte, bool)
	// Pushed is told that the site's remote has news. It returns at once.
	Pushed func(site string)
}

// ServeHTTP answers 204 to a report that was believed, 403 to others.
func (h *Webhook) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		http.Error(w, "report a push with POST", http.StatusMethodNotAllowed)
		return
	}
	site := r.PathValue("site")
	secret, ok := h.Secret(site)
	want := signature(r.Header)
	if !ok || len(secret) == 0 || want == nil {
		http.Error(w, "a signature is required", http.StatusForbidden)
		return
	}
	mac := hmac.New(sha256.New, secret)
	if _, err := io.Copy(mac, http.MaxBytesReader(w, r.Body, maxHookBody)); err != nil {
		status := http.StatusBadRequest
		var tooLarge *http.MaxBytesError
		if errors.As(err, &tooLarge) {
			status = http.StatusRequestEntityTooLarge
		}
		http.Error(w, http.StatusText(status), status)
		return
	}
	if !hmac.Equal(mac.Sum(nil), want) {
		http.Error(w, "the signature does not fit the secret", http.StatusForbidden)
		return
	}
	h.Pushed(site)
	w.WriteHeader(http.StatusNoContent)
}

// signature returns the HMAC-SHA256 that a forge sent, nil if there is none.
func signature(h http.Header) []byte {
	text, ok := strings.CutPrefix(h.Get("X-Hub-Signature-256"), "sha256=")
	for _, name := range []string{"X-Forgejo-Signature", "X-Gitea-Signature"} {
		if !ok {
			text = h.Get(name)
			ok = text != ""
		}
	}
	sum, err := hex.DecodeString(text)
	if !ok || err != nil || len(sum) != sha256.Size {
		return nil
	}
	return sum
}

// record lets a handler answer whose answers are short.
func record(h http.Handler, r *http.Request) *prepared {
	w := &recorder{header: http.Header{}}
	h.ServeHTTP(w, r)
	p := &prepared{status: max(w.status, http.StatusOK), body: w.body.Bytes()}
	for _, name := range slices.Sorted(maps.Keys(w.header)) {
		p.head = append(p.head, field{name, w.header[name]})
	}
	return p.seal()
}

// A recorder is a ResponseWriter that keeps what is written.
type recorder struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (w *recorder) Header() http.Header         { return w.header }
func (w *recorder) Write(b []byte) (int, error) { return w.body.Write(b) }
func (w *recorder) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
	}
}
