package self

import (
	"errors"
	"net/http"
	"net/url"
	"strings"

	"cairn/services/accounts"
)

// A loginForm is what the log-in page shows.
type loginForm struct{ Name, Next string }

func (h *handler) showLogin(w http.ResponseWriter, r *http.Request) {
	u, _, err := h.current(r)
	switch {
	case err != nil:
		h.fail(w, r, err)
	case u != nil:
		http.Redirect(w, r, h.Prefix+"/", http.StatusSeeOther)
	default:
		done := ""
		if r.URL.Query().Has("bye") {
			done = "You have logged out."
		}
		h.loginPage(w, r, http.StatusOK, &loginForm{Next: r.URL.Query().Get("next")}, done, "")
	}
}

func (h *handler) loginPage(w http.ResponseWriter, r *http.Request, status int, form *loginForm, done, problem string) {
	h.show(w, r, status, "login.html", &frame{Title: "Log in", Prefix: h.Prefix, Content: form, Done: done, Problem: problem})
}

func (h *handler) login(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		h.plain(w, r, http.StatusBadRequest, "This form cannot be read.")
		return
	}
	form := &loginForm{Name: strings.TrimSpace(r.PostForm.Get("name")), Next: r.PostForm.Get("next")}
	u, stamp, err := h.authenticate(r.Context(), r, form.Name, r.PostForm.Get("password"))
	switch {
	case errors.Is(err, accounts.ErrAppPassword):
		h.loginPage(w, r, http.StatusForbidden, form, "", "This is the password of a device. Here you log in with your own.")
		return
	case errors.Is(err, accounts.ErrBadCredentials):
		h.loginPage(w, r, http.StatusForbidden, form, "", "The name or the password is wrong.")
		return
	case err == nil:
		err = h.begin(w, r, u, stamp)
	}
	if err != nil {
		h.fail(w, r, err)
		return
	}
	http.Redirect(w, r, h.next(form.Next), http.StatusSeeOther)
}

// next is where to go after the log-in: a page of ours, whatever was asked for.
func (h *handler) next(asked string) string {
	u, err := url.Parse(asked)
	if err != nil || u.Scheme != "" || u.Host != "" || u.User != nil || !strings.HasPrefix(u.Path, h.Prefix+"/") || strings.Contains(u.Path, "..") {
		return h.Prefix + "/"
	}
	return (&url.URL{Path: u.Path, RawQuery: u.RawQuery}).String()
}

// logout ends the session.
func logout(x *visit) (string, string, error) {
	x.ended.add(x.session.ID, x.Now().Add(sessionFor), x.Now())
	http.SetCookie(x.w, x.cookie(x.r, ""))
	http.Redirect(x.w, x.r, x.Prefix+"/login?bye", http.StatusSeeOther)
	return "", "", nil
}
