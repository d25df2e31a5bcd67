package caldav

import (
	"errors"
	"net/http"
	"strings"

	"cairn/services/caldav/dav"
	"cairn/services/caldav/feed/push"
	"cairn/services/caldav/shelf"
)

// pushed is what programs can be told of (WebDAV-Push).
const pushed kinds = 1<<calendarHome | 1<<contactHome | 1<<calendar | 1<<addressbook | 1<<inbox

// pushPath is where registrations are removed: registration URLs are below it.
const pushPath = "/push/"

// pushProperties are those of WebDAV-Push, Push Properties.
var pushProperties = []property{
	{name: dav.Push("transports"), on: pushed, value: func(x *exchange, n *node, r *dav.Response, name dav.Name) bool {
		if x.Push == nil {
			return false
		}
		r.Value(name, func(b *dav.Builder) {
			b.Start(dav.Push("web-push"))
			b.Element(dav.Push("vapid-public-key"), x.Push.PublicKey(), dav.At("type", "p256ecdsa"))
			b.End(dav.Push("web-push"))
		})
		return true
	}},
	{name: dav.Push("topic"), on: pushed, value: func(x *exchange, n *node, r *dav.Response, name dav.Name) bool {
		if x.Push == nil {
			return false
		}
		r.Text(name, x.Push.Topic(n.owner, n.path))
		return true
	}},
	{name: dav.Push("supported-triggers"), on: pushed, value: func(x *exchange, n *node, r *dav.Response, name dav.Name) bool {
		if x.Push == nil {
			return false
		}
		r.Value(name, func(b *dav.Builder) {
			trigger(b, "content-update", "1")
			if ordered.has(n.kind) {
				trigger(b, "property-update", "0")
			}
		})
		return true
	}},
}

func trigger(b *dav.Builder, name, depth string) {
	b.Start(dav.Push(name))
	b.Element(dav.D("depth"), depth)
	b.End(dav.Push(name))
}

// register has a program be told of changes of the collection (WebDAV-Push,
// Subscription Registration).
func (x *exchange) register(p *dav.PushRegister) error {
	if x.Push == nil {
		return dav.Violated(http.StatusForbidden, dav.Push("push-not-available"), "there is no WebDAV-Push here")
	}
	n, err := x.resolve(x.at)
	if err != nil {
		return err
	}
	if !ordered.has(n.kind) && !p.Content {
		return dav.Violated(http.StatusForbidden, dav.Push("no-supported-trigger"), "it would never be told of anything")
	}
	done, err := x.Push.Register(x.ctx(), push.Registration{
		Owner: n.owner, Path: n.path, User: x.user.Name,
		Endpoint: p.Endpoint, Public: p.Public, Auth: p.Auth,
		Content: p.Content, Properties: p.Properties, Expires: p.Expires,
	})
	switch {
	case errors.Is(err, push.ErrInvalid):
		return dav.Violated(http.StatusForbidden, dav.Push("invalid-subscription"), "%v", err)
	case errors.Is(err, push.ErrTooMany):
		return dav.Violated(http.StatusForbidden, dav.Push("push-not-available"), "%v", err)
	case err != nil:
		return err
	}
	h := x.w.Header()
	h.Set("Location", x.origin()+pushPath+done.ID)
	h.Set("Expires", done.Expires.Format(http.TimeFormat))
	x.w.WriteHeader(http.StatusNoContent)
	return nil
}

// origin is the beginning of absolute URLs.
func (x *exchange) origin() string {
	if x.r.TLS != nil {
		return "https://" + x.r.Host
	}
	return "http://" + x.r.Host
}

// unregister answers below pushPath, and reports whether the request was for that.
func (x *exchange) unregister() (bool, error) {
	id, ok := strings.CutPrefix(x.r.URL.Path, pushPath)
	if !ok || x.Push == nil {
		return false, nil
	}
	if x.r.Method != http.MethodDelete {
		x.w.Header().Set("Allow", http.MethodDelete)
		return true, dav.Errorf(http.StatusMethodNotAllowed, "%.20s does not work here", x.r.Method)
	}
	if err := x.Push.Unregister(x.ctx(), id, x.user.Name); err != nil {
		return true, hidden(err)
	}
	x.w.WriteHeader(http.StatusNoContent)
	return true, nil
}

// dontNotify does what Push-Dont-Notify asks after a change: the user's programs
// that it names, or all of them, are not told of it.
func (x *exchange) dontNotify(before []*shelf.Snapshot) {
	urls, all := dav.ParseDontNotify(x.r.Header)
	if x.Push == nil || len(urls) == 0 && !all {
		return
	}
	var ids []string
	for _, u := range urls {
		if id, ok := strings.CutPrefix(u, x.origin()+pushPath); ok {
			ids = append(ids, id)
		}
	}
	if len(ids) == 0 && !all {
		return
	}
	if all {
		ids = nil
	}
	for _, s := range before {
		if err := x.Push.Made(x.ctx(), s, x.user.Name, ids...); err != nil {
			x.log().Warn("push", "user", x.user.Name, "err", err) // then it is told all the same
		}
	}
}
