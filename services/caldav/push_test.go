package caldav

import (
	"crypto/ecdh"
	"crypto/rand"
	"encoding/base64"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"cairn/services/caldav/feed/push"
)

// A counter is a push service that counts.
type counter struct{ atomic.Int64 }

func (c *counter) RoundTrip(r *http.Request) (*http.Response, error) {
	c.Add(1)
	return &http.Response{StatusCode: http.StatusCreated, Body: http.NoBody, Header: http.Header{}, Request: r}, nil
}

// registration is a push-register.
func registration(t *testing.T, endpoint, trigger string) string {
	k, err := ecdh.P256().GenerateKey(rand.Reader)
	check(t, err)
	enc := base64.RawURLEncoding
	return `<push-register xmlns="https://bitfire.at/webdav-push" xmlns:D="DAV:"><subscription><web-push-subscription>` +
		`<push-resource>` + endpoint + `</push-resource><content-encoding>aes128gcm</content-encoding>` +
		`<subscription-public-key type="p256dh">` + enc.EncodeToString(k.PublicKey().Bytes()) + `</subscription-public-key>` +
		`<auth-secret>` + enc.EncodeToString(make([]byte, 16)) + `</auth-secret></web-push-subscription></subscription>` +
		`<trigger>` + trigger + `</trigger><expires>Wed, 20 Dec 2023 10:03:31 GMT</expires></push-register>`
}

const (
	contentUpdate  = `<content-update><D:depth>infinity</D:depth></content-update>`
	propertyUpdate = `<property-update><D:depth>0</D:depth></property-update>`
)

func TestPush(t *testing.T) {
	h := open(t)
	props := `<P:transports xmlns:P="https://bitfire.at/webdav-push"/><P:topic xmlns:P="https://bitfire.at/webdav-push"/><P:supported-triggers xmlns:P="https://bitfire.at/webdav-push"/>`
	post := func(path, body string) *answer {
		return h.do("alice", "POST", path, body, "Content-Type: application/xml; charset=utf-8")
	}
	h.propfind("alice", "/calendars/alice/home/", "0", props).want(207, "404").without("web-push")
	post("/calendars/alice/home/", registration(t, "https://push.example/a", contentUpdate)).want(403, "push-not-available")

	to := &counter{}
	h.service.Push = &push.Service{Shelf: h.service.Shelf, Client: &http.Client{Transport: to}, Key: [32]byte{1}, Rand: rand.Reader, Now: time.Now, Contact: "mailto:a@example.org"}
	for _, path := range []string{"/calendars/alice/", "/calendars/alice/home/", "/contacts/alice/contacts/"} {
		h.propfind("alice", path, "0", props).want(207, h.service.Push.PublicKey(), `type="p256ecdsa"`, "content-update").without("404")
		if got := h.do("alice", "OPTIONS", path, "").want(200).header.Get("DAV"); !strings.Contains(got, "webdav-push") {
			t.Errorf("%s: DAV: %s", path, got)
		}
	}
	h.propfind("alice", "/files/alice/", "0", props).want(207, "404").without("web-push")
	post("/calendars/alice/none/", registration(t, "https://push.example/a", contentUpdate)).want(404)
	post("/calendars/bob/home/", registration(t, "https://push.example/a", contentUpdate)).want(404)
	post("/calendars/alice/home/", registration(t, "http://push.example/a", contentUpdate)).want(403, "invalid-subscription")
	post("/calendars/alice/home/", registration(t, "https://push.example/a", "")).want(403, "no-supported-trigger")
	post("/calendars/alice/", registration(t, "https://push.example/a", propertyUpdate)).want(403, "no-supported-trigger")
	post("/calendars/alice/", `<C:share xmlns:C="http://calendarserver.org/ns/" xmlns:D="DAV:"><C:set><D:href>mailto:bob@example.org</D:href><C:read/></C:set></C:share>`).want(405)

	one := post("/calendars/alice/home/", registration(t, "https://push.example/a", contentUpdate+propertyUpdate)).want(204)
	url := one.header.Get("Location")
	if expires, err := http.ParseTime(one.header.Get("Expires")); err != nil || time.Until(expires) < 72*time.Hour {
		t.Errorf("expires %v, %v", expires, err)
	}
	if again := post("/calendars/alice/home/", registration(t, "https://push.example/a", contentUpdate)).want(204); again.header.Get("Location") != url {
		t.Errorf("registered again it is %q, want %q", again.header.Get("Location"), url)
	}
	path, ok := strings.CutPrefix(url, h.server.URL)
	if !ok {
		t.Fatalf("location %q", url)
	}

	ctx := t.Context()
	var wg sync.WaitGroup
	wg.Go(func() { h.service.Push.Run(ctx) })
	t.Cleanup(wg.Wait) // ctx has ended then
	h.do("alice", "PUT", "/calendars/alice/home/mine.ics", anEvent("mine", "x"), `Push-Dont-Notify: "`+url+`"`).want(201)
	h.do("alice", "PUT", "/calendars/alice/home/other.ics", anEvent("other", "x")).want(201)
	for end := time.Now().Add(2 * time.Minute); to.Load() == 0; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("nobody was told")
		}
	}

	h.do("bob", "DELETE", path, "").want(404)
	h.do("", "DELETE", path, "").want(401)
	h.do("alice", "GET", path, "").want(405)
	h.do("alice", "DELETE", path, "").want(204)
	h.do("alice", "DELETE", path, "").want(404)
}
