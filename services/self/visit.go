package self

import (
	"bytes"
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"time"

	"cairn/services/accounts"
	"cairn/store"
)

// A section is a page, and what can be done there.
type section struct {
	path        string // below the prefix
	title       string
	template    string
	tab         string // its name in the navigation
	below       bool   // it is reached from the section that has the tab
	collections bool   // it is there only when there are collections
	show        func(*visit) (any, error)
	// actions are by their path. They return the key in said of what was done ("":
	// they have answered by themselves) and below the prefix where to go on. A
	// *Refusal is shown on the section's page.
	actions map[string]action
	files   map[string]action // what is downloaded
}

type action func(*visit) (done, to string, err error)

// A visit is one request by somebody who has logged in.
type visit struct {
	*handler
	w       http.ResponseWriter
	r       *http.Request
	user    *accounts.User
	session *session
	section *section
}

func (x *visit) ctx() context.Context { return x.r.Context() }

// field returns a field of the form.
func (x *visit) field(name string) string { return x.r.PostForm.Get(name) }

// visit answers a request for a section: do, or without it the page.
func (h *handler) visit(w http.ResponseWriter, r *http.Request, sec *section, do action) {
	u, s, err := h.current(r)
	if err != nil {
		h.fail(w, r, err)
		return
	}
	if u == nil {
		to := h.Prefix + "/login"
		if r.Method == http.MethodGet && do == nil {
			to += "?" + url.Values{"next": {r.URL.RequestURI()}}.Encode()
		}
		http.Redirect(w, r, to, http.StatusSeeOther)
		return
	}
	x := &visit{h, w, r, u, s, sec}
	if do == nil {
		x.page(http.StatusOK, "")
		return
	}
	if r.Method == http.MethodPost && !x.readForm() {
		return
	}
	done, to, err := do(x)
	var refusal *Refusal
	switch {
	case errors.As(err, &refusal):
		x.page(http.StatusUnprocessableEntity, refusal.Text)
	case errors.Is(err, fs.ErrNotExist):
		x.page(http.StatusNotFound, "That is not there any more.")
	case errors.Is(err, fs.ErrExist):
		x.page(http.StatusUnprocessableEntity, "There is one of that name already.")
	case err != nil:
		h.fail(w, r, err)
	case done != "":
		x.goOn(to, done)
	}
}

// readForm reads the form and checks that it is ours.
func (x *visit) readForm() bool {
	x.r.Body = http.MaxBytesReader(x.w, x.r.Body, maxForm)
	if err := x.r.ParseForm(); err != nil {
		x.plain(x.w, x.r, http.StatusBadRequest, "This form cannot be read.")
		return false
	}
	if subtle.ConstantTimeCompare([]byte(x.field("token")), []byte(x.token())) != 1 {
		x.page(http.StatusForbidden, "This form is out of date, so nothing was done. Please try again.")
		return false
	}
	return true
}

// token is what each form of a session holds.
func (x *visit) token() string { return x.sessions.tag("form " + x.session.ID) }

// goOn leads to a page below the prefix, which says what was done.
func (x *visit) goOn(to, done string) {
	u, err := url.Parse(x.Prefix + "/" + to)
	if err != nil {
		x.fail(x.w, x.r, err)
		return
	}
	q := u.Query()
	q.Set("done", done)
	u.RawQuery = q.Encode()
	http.Redirect(x.w, x.r, u.String(), http.StatusSeeOther)
}

// page shows the section.
func (x *visit) page(status int, problem string) {
	content, err := x.section.show(x)
	if errors.Is(err, fs.ErrNotExist) {
		x.plain(x.w, x.r, http.StatusNotFound, "That is not there any more.")
		return
	}
	if err != nil {
		x.fail(x.w, x.r, err)
		return
	}
	x.render(status, x.section.template, x.section.title, problem, content)
}

// render shows a template within the frame that all pages have.
func (x *visit) render(status int, template, title, problem string, content any) {
	f := &frame{Title: title, Prefix: x.Prefix, User: x.user, Token: x.token(), Problem: problem, Content: content}
	if problem == "" {
		f.Done = said[x.r.URL.Query().Get("done")]
	}
	for _, sec := range x.sections {
		if !sec.below {
			f.Nav = append(f.Nav, link{sec.path, sec.tab, sec.tab == x.section.tab})
		}
	}
	x.show(x.w, x.r, status, template, f)
}

// A frame is what stands around every page.
type frame struct {
	Title, Prefix string
	User          *accounts.User // nil before the log-in
	Nav           []link
	Token         string
	Done, Problem string
	Style         any
	Content       any
}

type link struct {
	Path, Name string
	Current    bool
}

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
