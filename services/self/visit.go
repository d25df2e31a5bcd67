package self

import (
	"context"
	"crypto/subtle"
	"errors"
	"io/fs"
	"net/http"
	"net/url"

	"cairn/services/accounts"
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
