package dav

import (
	"encoding/base64"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

// pushBody is a registration with some triggers and more.
func pushBody(triggers, more string) string {
	return `<push-register xmlns="https://bitfire.at/webdav-push" xmlns:D="DAV:"><subscription><web-push-subscription>
		<push-resource>https://push.example.net/1</push-resource><content-encoding>aes128gcm</content-encoding>
		<subscription-public-key type="p256dh">BAEC_-8</subscription-public-key><auth-secret>AQIDBAUGBwgJCgsMDQ4PEA==</auth-secret>
		</web-push-subscription></subscription><trigger>` + triggers + `</trigger>` + more + `</push-register>`
}

func TestReadPushRegister(t *testing.T) {
	key, _ := base64.RawURLEncoding.DecodeString("BAEC_-8")
	want := PushRegister{Endpoint: "https://push.example.net/1", Public: key, Auth: []byte{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}}
	both := want
	both.Content, both.Properties, both.Expires = true, true, time.Date(2026, 12, 20, 10, 3, 31, 0, time.UTC)
	content, properties := want, want
	content.Content, properties.Properties = true, true
	for in, want := range map[string]PushRegister{
		pushBody(`<content-update><D:depth>infinity</D:depth></content-update><property-update><D:depth>0</D:depth><D:prop><D:displayname/></D:prop></property-update>`,
			`<expires>Sun, 20 Dec 2026 10:03:31 GMT</expires>`): both,
		pushBody(`<content-update><D:depth>1</D:depth></content-update><x:other xmlns:x="u"/>`, ""):                                  content,
		pushBody(`<content-update><D:depth>0</D:depth></content-update><property-update><D:depth>0</D:depth></property-update>`, ""): properties,
	} {
		got, err := ReadPost(body(in))
		if err != nil || !reflect.DeepEqual(*got.Push, want) {
			t.Errorf("got %+v, %v, want %+v", got, err, want)
		}
	}
	good := pushBody(`<content-update><D:depth>1</D:depth></content-update>`, "")
	for _, c := range []struct {
		old, with    string
		status       int
		precondition string
	}{
		{"https://push.example.net/1", "", 403, "invalid-subscription"},
		{"aes128gcm", "aesgcm", 403, "invalid-subscription"},
		{"p256dh", "x25519", 403, "invalid-subscription"},
		{"BAEC_-8", "", 403, "invalid-subscription"},
		{"BAEC_-8", "!", 403, "invalid-subscription"},
		{"AQIDBAUGBwgJCgsMDQ4PEA==", "?", 403, "invalid-subscription"},
		{"web-push-subscription>", "other>", 403, "invalid-subscription"},
		{"<D:depth>1<", "<D:depth>0<", 403, "no-supported-trigger"},
		{"content-update>", "other-update>", 403, "no-supported-trigger"},
		{"</push-register>", "<expires>tomorrow</expires></push-register>", 400, ""},
	} {
		_, err := ReadPost(body(strings.ReplaceAll(good, c.old, c.with)))
		if e := AsError(err); err == nil || e.Status != c.status || e.Precondition.Local != c.precondition {
			t.Errorf("%s for %s: got %v, want %d %s", c.with, c.old, err, c.status, c.precondition)
		}
	}
}

func TestParseDontNotify(t *testing.T) {
	for _, c := range []struct {
		h    []string
		urls []string
		all  bool
	}{
		{nil, nil, false},
		{[]string{"*"}, nil, true},
		{[]string{`"https://h/push/1", "https://h/push/2,3"`, ` "https://h/push/4"`}, []string{"https://h/push/1", "https://h/push/2,3", "https://h/push/4"}, false},
		{[]string{`x, "", "a b", "https://h/push/1" , "cut`}, []string{"https://h/push/1"}, false},
		{[]string{`,,*,`}, nil, true},
	} {
		urls, all := ParseDontNotify(http.Header{"Push-Dont-Notify": c.h})
		if !slices.Equal(urls, c.urls) || all != c.all {
			t.Errorf("%q: got %q, %v, want %q, %v", c.h, urls, all, c.urls, c.all)
		}
	}
}
