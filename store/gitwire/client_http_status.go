package gitwire

import (
	"encoding/base64"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"

	"cairn/store"
)

// checkAnswer returns the error that a response's status stands for, and notes
// whether the request has been turned away (RFC 9110 §15): a 3xx is to be asked somewhere
// else and a 4xx not at all. A 5xx may come from somebody between, who has
// handed the request on; and 303 follows requests that were carried out.
func (c *httpCarrier) checkAnswer(resp *http.Response, contentType string) error {
	code := resp.StatusCode
	c.refused = code >= 300 && code < 500 && code != http.StatusSeeOther
	status := cut(oneLine(resp.Status), 100)
	switch {
	case code == http.StatusUnauthorized:
		return ErrUnauthorized
	case code == http.StatusForbidden:
		return fmt.Errorf("%s: %w", status, fs.ErrPermission)
	case code == http.StatusNotFound, code == http.StatusGone:
		return fmt.Errorf("%s: %w", status, fs.ErrNotExist)
	case code == http.StatusRequestEntityTooLarge:
		return fmt.Errorf("%s: %w", status, store.ErrTooLarge)
	case code >= 300 && code < 400:
		// The next conversation asks for the way again.
		return fmt.Errorf("%w: redirected: %s", store.ErrTemporary, status)
	case code >= 500, code == http.StatusTooManyRequests, code == http.StatusRequestTimeout:
		return fmt.Errorf("%s: %w", status, store.ErrTemporary)
	case code != http.StatusOK:
		return &RemoteError{status}
	}
	if got := resp.Header.Get("Content-Type"); got != contentType {
		return fmt.Errorf("it is not a git repository: got %q, want %q", cut(got, 100), contentType)
	}
	return nil
}

// maxRedirects is how many redirects a request may be sent through.
const maxRedirects = 5

// A redirectError says why a redirect is not followed.
type redirectError string

func (e redirectError) Error() string { return string(e) }

// checkRedirect is the rule of http.Client for the advertisement.
func (c *Client) checkRedirect(to *http.Request, via []*http.Request) error {
	from := via[len(via)-1].URL
	switch {
	case len(via) > maxRedirects:
		return redirectError("redirected to " + to.URL.Redacted())
	case from.Scheme == "https" && to.URL.Scheme != "https":
		return redirectError("redirected from https to " + to.URL.Redacted())
	case to.URL.Host == via[0].URL.Host:
		return nil
	case c.Redirect == nil:
		return redirectError("redirected to another host: " + to.URL.Redacted())
	}
	return c.Redirect(from, to.URL)
}

// authorization is the header that logs in at a URL.
func (c *Client) authorization(u *url.URL) string {
	user, password := c.User, c.Password
	switch {
	case u.User != nil:
		user = u.User.Username()
		password, _ = u.User.Password()
	case c.Token != "":
		return "Bearer " + c.Token
	case user == "":
		return ""
	}
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(user+":"+password))
}

// A loginTransport logs in at one host and keeps the password from others,
// also when a redirect leads there.
type loginTransport struct {
	http.RoundTripper
	at   *url.URL
	auth string
}

func (l *loginTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	if l.auth == "" || r.URL.Host != l.at.Host || l.at.Scheme == "https" && r.URL.Scheme != "https" {
		return l.RoundTripper.RoundTrip(r)
	}
	r = r.Clone(r.Context())
	r.Header.Set("Authorization", l.auth)
	return l.RoundTripper.RoundTrip(r)
}
