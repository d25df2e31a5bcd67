package gitwire

import (
	"net/http"
	"net/url"
)

// maxRedirects is how many redirects a request may be sent through.
const maxRedirects = 5

// A redirectError says why a redirect is not followed.
type redirectError string

func (e redirectError) Error() string { return string(e) }

// A loginTransport logs in at one host and keeps the password from others,
// also when a redirect leads there.
type loginTransport struct {
	http.RoundTripper
	at   *url.URL
	user *url.Userinfo
}

func (l *loginTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	if l.user == nil || r.URL.Host != l.at.Host {
		return l.RoundTripper.RoundTrip(r)
	}
	r = r.Clone(r.Context())
	password, _ := l.user.Password()
	r.SetBasicAuth(l.user.Username(), password)
	return l.RoundTripper.RoundTrip(r)
}

// checkRedirect is the rule of http.Client for the advertisement. Answers to
// questions are not followed anywhere: the advertisement has shown the way.
func (c *Client) checkRedirect(to *http.Request, via []*http.Request) error {
	from := via[len(via)-1].URL
	switch {
	case to.Method != http.MethodGet || len(via) > maxRedirects:
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
