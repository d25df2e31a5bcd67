package feed

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"cairn/net/public"
	"cairn/services/caldav/shelf"
	"cairn/store/mem"
)

// An outside is a server with a calendar.
type outside struct {
	mu     sync.Mutex
	body   string
	status int
	tag    string
	asked  int
	seen   http.Header
}

func (o *outside) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.asked++
	o.seen = r.Header
	if o.tag != "" {
		w.Header().Set("ETag", o.tag)
		if r.Header.Get("If-None-Match") == o.tag {
			w.WriteHeader(http.StatusNotModified)
			return
		}
	}
	if o.status != 0 {
		w.WriteHeader(o.status)
	}
	fmt.Fprint(w, o.body)
}

func (o *outside) set(body, tag string, status int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.body, o.tag, o.status = body, tag, status
}

// times is how often it was asked.
func (o *outside) times() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.asked
}

// RoundTrip lets a client ask without a network.
func (o *outside) RoundTrip(r *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	o.ServeHTTP(w, r)
	return w.Result(), nil
}

// calendar is several events as one file.
func calendar(head string, events ...string) string {
	var b strings.Builder
	b.WriteString("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Out//EN\r\n" + head)
	for _, e := range events {
		_, rest, _ := strings.Cut(e, "BEGIN:VEVENT")
		b.WriteString("BEGIN:VEVENT" + strings.TrimSuffix(rest, "END:VCALENDAR\r\n"))
	}
	b.WriteString("END:VCALENDAR\r\n")
	return b.String()
}

// follow makes a calendar that follows url, and who follows it.
func (k *kit) follow(url string, over http.RoundTripper) *Follower {
	k.Helper()
	k.update(func(e *shelf.Edit) error {
		return e.Make(shelf.Path{Kind: shelf.Calendars, Collection: "club"}, &shelf.Props{Source: &shelf.Source{URL: url}})
	})
	return &Follower{Shelf: k.Shelf, Client: &http.Client{Transport: over}, Now: func() time.Time { return k.now }}
}

func (k *kit) refresh(f *Follower) error {
	return f.Refresh(context.Background(), "alice", "club")
}

// etags lists what is in the calendar.
func (k *kit) etags() map[string]string {
	k.Helper()
	list := map[string]string{}
	for r, err := range k.coll(shelf.Calendars, "club").Resources() {
		if err != nil {
			k.Fatal(err)
		}
		list[r.Name] = r.ETag.String()
	}
	return list
}

func (k *kit) commits() (n int) {
	k.Helper()
	for _, err := range k.Branch("alice").Log(context.Background(), "") {
		if err != nil {
			k.Fatal(err)
		}
		n++
	}
	return n
}

func TestFollow(t *testing.T) {
	each(t, func(k *kit) {
		out := &outside{}
		f := k.follow("https://club.example/x.ics?secret=1", out)
		out.set(calendar("X-WR-CALNAME:The Club\r\nREFRESH-INTERVAL;VALUE=DURATION:PT2H\r\n", event("a", "A"), event("b b", "B"), event("a", "override", "RECURRENCE-ID:20260301T100000Z")), `"1"`, 0)
		if err := k.refresh(f); err != nil {
			t.Fatal(err)
		}
		first := k.etags()
		if len(first) != 2 || first["a.ics"] == "" {
			t.Errorf("got %v, want a.ics and one more", first)
		}
		c := k.coll(shelf.Calendars, "club")
		if p := c.Props(); p.DisplayName != "The Club" || p.Source.ETag != `"1"` || p.Source.Error != "" || !p.Source.Changed.Equal(start) || !c.ReadOnly() {
			t.Errorf("properties: %+v %+v", p, p.Source)
		}
		n := k.commits()
		for range 2 {
			if err := k.refresh(f); err != nil {
				t.Error(err)
			}
		}
		if got := out.seen.Get("If-None-Match"); got != `"1"` {
			t.Errorf("asked with %q", got)
		}
		// Another replica, or the same after a restart.
		again := &Follower{Shelf: k.Shelf, Client: f.Client, Now: f.Now}
		if err := k.refresh(again); err != nil || out.seen.Get("If-None-Match") != `"1"` {
			t.Errorf("after a restart: %v, %v", err, out.seen)
		}
		stamped := strings.ReplaceAll(out.body, "DTSTAMP:20260101", "DTSTAMP:20260102")
		out.set(stamped, `"2"`, 0)
		if err := k.refresh(f); err != nil {
			t.Error(err)
		}
		if got := k.commits(); got != n {
			t.Errorf("%d commits for nothing", got-n)
		}
		out.set(calendar("", event("a", "A"), event("c", "C")), `"3"`, 0)
		if err := k.refresh(f); err != nil {
			t.Fatal(err)
		}
		second := k.etags()
		if len(second) != 2 || second["c.ics"] == "" || second["a.ics"] == first["a.ics"] {
			t.Errorf("got %v after %v", second, first)
		}
		out.set(calendar("", event("a", "A"), event("c", "C2")), `"4"`, 0)
		if err := k.refresh(f); err != nil {
			t.Fatal(err)
		}
		if third := k.etags(); third["a.ics"] != second["a.ics"] || third["c.ics"] == second["c.ics"] {
			t.Errorf("got %v after %v, want only c.ics to differ", third, second)
		}
	})
}

func TestFollowFaults(t *testing.T) {
	each(t, func(k *kit) {
		out := &outside{}
		f := k.follow("https://club.example/x.ics?secret=1", out)
		out.set(calendar("", event("a", "A")), "", 0)
		if err := k.refresh(f); err != nil {
			t.Fatal(err)
		}
		for _, c := range []struct {
			body   string
			status int
			words  string
		}{
			{"gone", 404, "the other side answers 404 Not Found"},
			{"<html>", 0, "this is not a calendar"},
			{"BEGIN:VCALENDAR\r\nEND:VEVENT\r\n", 0, "it cannot be read as a calendar"},
			{"BEGIN:VCALENDAR\r\n" + strings.Repeat("X-A:b\r\n", maxFetch/7+1), 0, "it is larger than 10 MiB"},
			{"BEGIN:VCALENDAR\n" + strings.Repeat("A:b\n", maxLines), 0, "it has more than 400000 lines"},
		} {
			out.set(c.body, "", c.status)
			n := k.commits()
			for range 2 {
				if err := k.refresh(f); err == nil {
					t.Errorf("%s: no error", c.words)
				}
			}
			src := k.coll(shelf.Calendars, "club").Props().Source
			if !strings.HasPrefix(src.Error, c.words) || !src.Since.Equal(start) {
				t.Errorf("got %q since %v, want %q", src.Error, src.Since, c.words)
			}
			if got := k.commits() - n; got != 1 {
				t.Errorf("%s: %d commits, want 1", c.words, got)
			}
			if got := k.etags(); len(got) != 1 {
				t.Errorf("%s: what was there is gone: %v", c.words, got)
			}
		}
		out.set(calendar("", event("a", "A")), "", 0)
		if err := k.refresh(f); err != nil {
			t.Error(err)
		}
		if src := k.coll(shelf.Calendars, "club").Props().Source; src.Error != "" || !src.Since.IsZero() {
			t.Errorf("it is well again: %+v", src)
		}
		for rev, err := range k.Branch("alice").Log(context.Background(), "") {
			if err != nil {
				t.Fatal(err)
			}
			if strings.Contains(rev.Message, "secret") {
				t.Errorf("the address is told: %q", rev.Message)
			}
		}
	})
}

// TestFollowPrivate follows what lies in a private network, by its address, a name
// and a redirect.
func TestFollowPrivate(t *testing.T) {
	out := &outside{}
	out.set(calendar("", event("a", "A")), "", 0)
	server := httptest.NewServer(out)
	defer server.Close()
	redirect := httptest.NewServer(http.RedirectHandler(server.URL, http.StatusFound))
	defer redirect.Close()
	outer := netip.MustParseAddr("93.184.216.34")
	guard := &public.Outbound{
		Resolve: func(_ context.Context, host string) ([]netip.Addr, error) {
			if host == "public.example" {
				return []netip.Addr{outer}, nil
			}
			return []netip.Addr{netip.MustParseAddr("127.0.0.1")}, nil
		},
		Dial: func(ctx context.Context, network, address string) (net.Conn, error) {
			if !strings.HasPrefix(address, outer.String()) {
				return nil, errors.New("dialled " + address)
			}
			return new(net.Dialer).DialContext(ctx, network, redirect.Listener.Addr().String())
		},
	}
	_, port, err := net.SplitHostPort(server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	for _, url := range []string{server.URL, "http://name.example:" + port + "/", "webcal://name.example:" + port + "/", "http://public.example/", "http://[::1]:" + port + "/", "http://2130706433/"} {
		k := newKit(t, mem.New())
		f := k.follow(url, nil)
		f.Client = guard.Client()
		if err := k.refresh(f); !errors.Is(err, public.ErrPrivateAddress) {
			t.Errorf("%s: got %v, want ErrPrivateAddress", url, err)
		}
		if src := k.coll(shelf.Calendars, "club").Props().Source; src.Error != "the other side cannot be reached" {
			t.Errorf("%s: its owner is told %q", url, src.Error)
		}
	}
	if n := out.times(); n != 0 {
		t.Errorf("it was asked %d times", n)
	}
}

// TestRun has the clock run: what is due is asked for, ever less often while it fails.
func TestRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newKit(t, mem.New())
		out := &outside{}
		out.set(calendar("REFRESH-INTERVAL:PT3H\r\n", event("a", "A")), "", 0)
		f := k.follow("webcal://club.example/x.ics", out)
		f.Now = time.Now
		ctx, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		wg.Go(func() { f.Run(ctx) })
		asked := func(after time.Duration) int {
			before := out.times()
			time.Sleep(after)
			synctest.Wait()
			return out.times() - before
		}
		if n := asked(time.Second); n != 1 {
			t.Errorf("at first it was asked %d times, want once", n)
		}
		if n := asked(12*time.Hour + 10*time.Minute); n != 4 {
			t.Errorf("in 12 hours it was asked %d times, want 4", n)
		}
		out.set("", "", 500)
		if n := asked(48 * time.Hour); n < 5 || n > 9 {
			t.Errorf("while it failed for 48 hours it was asked %d times, want about 7", n)
		}
		k.update(func(e *shelf.Edit) error { return e.Remove(shelf.Path{Kind: shelf.Calendars, Collection: "club"}) })
		if n := asked(48 * time.Hour); n != 0 {
			t.Errorf("nobody follows it, and it was asked %d times", n)
		}
		cancel()
		wg.Wait()
	})
}

func TestParseSource(t *testing.T) {
	for _, ok := range []string{"https://a.example/x.ics", "http://a.example:81/?q=1", "webcal://a.example/x", "webcals://a.example/x"} {
		if got, err := ParseSource(" " + ok + "#part"); err != nil || got != ok {
			t.Errorf("%q: got %q, %v", ok, got, err)
		}
	}
	for _, bad := range []string{"", "a.example", "ftp://a.example/", "file:///etc/passwd", "https://u:p@a.example/", "https:///x", "https://a.example/" + strings.Repeat("x", maxURL), "http://[::1", "javascript:x"} {
		if got, err := ParseSource(bad); err == nil {
			t.Errorf("%q: got %q, want an error", bad, got)
		}
	}
}

func TestDuration(t *testing.T) {
	for s, want := range map[string]time.Duration{
		"PT1H": time.Hour, "P1D": 24 * time.Hour, "P1W": 7 * 24 * time.Hour, "PT1H30M": 90 * time.Minute, "P1DT12H": 36 * time.Hour,
		"": 0, "1H": 0, "P": 0, "PT-1H": 0, "PX": 0,
	} {
		if got, ok := duration(s); got != want || ok != (want > 0) {
			t.Errorf("%q: got %v, %v, want %v", s, got, ok, want)
		}
	}
}

// FuzzBring takes in whatever the other side answers.
func FuzzBring(f *testing.F) {
	f.Add([]byte(calendar("X-WR-CALNAME:x\r\n", event("a", "A"), event("b", "B"))))
	f.Add([]byte("BEGIN:VCALENDAR\nBEGIN:VEVENT\nEND:VEVENT\nEND:VCALENDAR"))
	f.Add([]byte(zoned("x", "Mine", "+0100")))
	f.Fuzz(func(t *testing.T, data []byte) {
		k := newKit(t, mem.New())
		out := &outside{}
		out.set(string(data), "", 0)
		if err := k.refresh(k.follow("https://club.example/", out)); err != nil {
			if _, ok := errors.AsType[*remoteError](err); !ok {
				t.Errorf("%q: %v", data, err)
			}
		}
		tree := k.coll(shelf.Calendars, "club")
		for r, err := range tree.Resources() {
			if err != nil {
				t.Fatal(err)
			}
			if data, err := tree.Read(r); err != nil {
				t.Error(err)
			} else if _, err := k.Parse(shelf.Calendars, data); err != nil {
				t.Errorf("%q was taken in: %v", data, err)
			}
		}
	})
}
