package self

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"time"

	"cairn/services/accounts"
	"cairn/store"
)

// show writes a page.
func (h *handler) show(w http.ResponseWriter, r *http.Request, status int, template string, f *frame) {
	f.Style = styleElement
	var b bytes.Buffer
	if err := pages[template].ExecuteTemplate(&b, "frame.html", f); err != nil {
		h.log().Error("show page", "page", template, "err", err)
		http.Error(w, "This page cannot be shown now.", http.StatusInternalServerError)
		return
	}
	head := w.Header()
	head.Set("Content-Type", "text/html; charset=utf-8")
	head.Set("Content-Length", fmt.Sprint(b.Len()))
	w.WriteHeader(status)
	if r.Method != http.MethodHead {
		w.Write(b.Bytes()) // nobody is left to tell of an error
	}
}

// harden sets what keeps an answer to itself.
func harden(h http.Header) {
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Referrer-Policy", "same-origin") // with less, browsers hide the Origin of forms
	h.Set("Content-Security-Policy", "default-src 'none'; style-src "+styleSource+"; form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
}

// plain says one sentence to whomever.
func (h *handler) plain(w http.ResponseWriter, r *http.Request, status int, text string) {
	h.show(w, r, status, "plain.html", &frame{Title: http.StatusText(status), Prefix: h.Prefix, Content: text})
}

// fail answers when something is wrong with us.
func (h *handler) fail(w http.ResponseWriter, r *http.Request, err error) {
	var rate *accounts.RateError
	switch {
	case r.Context().Err() != nil: // nobody waits any more
	case errors.As(err, &rate):
		w.Header().Set("Retry-After", fmt.Sprint(int(rate.After/time.Second)+1))
		h.plain(w, r, http.StatusTooManyRequests, "There were too many wrong passwords. "+wait(rate.After))
	case errors.Is(err, store.ErrTemporary):
		w.Header().Set("Retry-After", "10")
		h.plain(w, r, http.StatusServiceUnavailable, "What is kept here cannot be reached at the moment. Nothing was changed; please try again in a moment.")
	default:
		h.log().Error("self-service", "path", r.URL.Path, "err", err)
		h.plain(w, r, http.StatusInternalServerError, "Something went wrong here, and was noted down for the administrator.")
	}
}

func wait(d time.Duration) string {
	switch {
	case d <= time.Minute:
		return "Please try again in a minute."
	default:
		return fmt.Sprintf("Please try again in %d minutes.", int(d/time.Minute)+1)
	}
}

// said is what pages say after something was done, by the key in their address.
var said = map[string]string{
	"revoked":   "The device can no longer log in.",
	"password":  "Your password was changed. Other browsers have to log in again.",
	"keyadded":  "The key was added.",
	"keygone":   "The key was removed.",
	"made":      "It was made. Your devices show it when they next synchronize.",
	"saved":     "Your changes were saved.",
	"deleted":   "It was deleted. To take that back, use Undo beside the change.",
	"shared":    "Who may use it was changed.",
	"published": "It is public now.",
	"hidden":    "It is not public any more.",
	"link":      "It has a new secret address. An older one no longer works.",
	"nolink":    "The secret address no longer works.",
	"undone":    "The change was taken back.",
}
