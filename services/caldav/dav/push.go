package dav

import (
	"encoding/base64"
	"net/http"
	"strings"
	"time"
)

// PushRegister says that a client wants to be told of changes of a collection over Web Push (push-register of
// WebDAV-Push, draft of bitfireAT/webdav-push).
type PushRegister struct {
	Endpoint string // the push resource: the URL that messages are sent to, and the name of the subscription
	Public   []byte // the client's key, type p256dh: a point of P-256, uncompressed
	Auth     []byte // its authentication secret

	Content    bool // of members that are new, have changed or are gone
	Properties bool // of properties of the collection itself

	Expires time.Time // zero if the client does not say
}

// pushRegister reads push-register. Of triggers, those that nobody could serve are left out, as the draft wants it; if none is
// left, that is no-supported-trigger. What it says of a subscription is not judged further than its form.
func pushRegister(root *Element) (*PushRegister, error) {
	p := &PushRegister{}
	sub := root.Child(Push("subscription")).Child(Push("web-push-subscription"))
	p.Endpoint = sub.Child(Push("push-resource")).Word()
	var err error
	if p.Public, err = base64Element(sub.Child(Push("subscription-public-key"))); err == nil {
		p.Auth, err = base64Element(sub.Child(Push("auth-secret")))
	}
	if err != nil || p.Endpoint == "" || len(p.Public) == 0 || len(p.Auth) == 0 ||
		sub.Child(Push("subscription-public-key")).Attr("type") != "p256dh" || sub.Child(Push("content-encoding")).Word() != "aes128gcm" {
		return nil, Violated(http.StatusForbidden, Push("invalid-subscription"), "this is no subscription of Web Push")
	}
	trigger := root.Child(Push("trigger"))
	content := trigger.Child(Push("content-update"))
	p.Content = content != nil && content.Child(D("depth")).Word() != "0" // a collection has no content but its members
	p.Properties = trigger.Child(Push("property-update")) != nil
	if !p.Content && !p.Properties {
		return nil, Violated(http.StatusForbidden, Push("no-supported-trigger"), "it would never be told of anything")
	}
	if e := root.Child(Push("expires")); e != nil {
		if p.Expires, err = http.ParseTime(e.Word()); err != nil {
			return nil, Errorf(http.StatusBadRequest, "expires is a date as in HTTP")
		}
	}
	return p, nil
}

// base64Element decodes base64url, with padding or without.
func base64Element(e *Element) ([]byte, error) {
	return base64.RawURLEncoding.DecodeString(strings.TrimRight(e.Word(), "="))
}

// ParseDontNotify reads the Push-Dont-Notify header of WebDAV-Push: the URLs of registrations that need not be
// told of what this request changes, or all of the client's. What is malformed is left out, as the draft wants it.
func ParseDontNotify(h http.Header) (urls []string, all bool) {
	list := strings.Join(h.Values("Push-Dont-Notify"), ",")
	for list = strings.TrimLeft(list, " \t,"); list != ""; list = strings.TrimLeft(list, " \t,") {
		if rest, ok := strings.CutPrefix(list, `"`); ok {
			url, rest, ok := strings.Cut(rest, `"`)
			if !ok {
				break
			}
			if url != "" && !strings.ContainsAny(url, "\\ \t") {
				urls = append(urls, url)
			}
			list = rest
			continue
		}
		var word string
		word, list, _ = strings.Cut(list, ",")
		all = all || strings.TrimSpace(word) == "*"
	}
	return urls, all
}
