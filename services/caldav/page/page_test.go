package page

import (
	"fmt"
	"io"
	"iter"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"
	_ "time/tzdata"

	"cairn/services/caldav/ical"

	"golang.org/x/net/html"
)

var vienna = func() *time.Location {
	zone, err := time.LoadLocation("Europe/Vienna")
	if err != nil {
		panic(err)
	}
	return zone
}()

// club is a page of events given as the lines of their VEVENTs.
func club(t testing.TB, events ...string) *Page {
	var all []*ical.Calendar
	for i, e := range events {
		c, err := ical.Parse([]byte(fmt.Sprintf("BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:%d\n%s\nEND:VEVENT\nEND:VCALENDAR\n", i, strings.ReplaceAll(e, "|", "\n"))))
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, c)
	}
	return &Page{
		Name: "Club", Owner: "Alice", Path: "/public/alice/club/", Feed: "https://example.org/public/alice/club.ics", Zone: vienna, Tag: "1",
		Now: func() time.Time { return time.Date(2026, 11, 21, 23, 30, 0, 0, time.UTC) }, // the 22nd in Vienna
		Events: func(r ical.TimeRange, limit int) iter.Seq2[ical.Instance, error] {
			return func(yield func(ical.Instance, error) bool) {
				for _, c := range all {
					for in, err := range c.Instances(r, vienna, limit) {
						if !yield(in, err) {
							return
						}
					}
				}
			}
		},
	}
}

// ask returns the answer and its body.
func ask(t testing.TB, p *Page, method, query string, header ...string) (*http.Response, string) {
	t.Helper()
	r := httptest.NewRequest(method, p.Path+query, nil)
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	p.ServeHTTP(w, r)
	body, err := io.ReadAll(w.Result().Body)
	if err != nil {
		t.Fatal(err)
	}
	return w.Result(), string(body)
}

func TestViews(t *testing.T) {
	p := club(t)
	for _, c := range []struct {
		query string
		want  int
		title string
	}{
		{"", 200, "November 2026"},
		{"?month=2026-11", 200, "November 2026"},
		{"?month=2024-02", 200, "February 2024"},
		{"?view=agenda", 200, "What comes next"},
		{"?view=agenda&from=2027-01-02", 200, "From 2 January 2027"},
		{"?month=2026-13", 404, ""},
		{"?month=1899-12", 404, ""},
		{"?month=2200-01", 404, ""},
		{"?month=99999-01", 404, ""},
		{"?view=week", 404, ""},
		{"?view=agenda&month=2026-11", 404, ""},
		{"?view=agenda&from=yesterday", 404, ""},
		{"?from=2026-11-01", 404, ""},
	} {
		r, body := ask(t, p, "GET", c.query)
		if r.StatusCode != c.want || c.want == 200 && !strings.Contains(body, "<h2>"+c.title+"</h2>") {
			t.Errorf("%q: got %d, want %d and %q in\n%s", c.query, r.StatusCode, c.want, c.title, body)
		}
	}
	if r, _ := ask(t, p, "POST", ""); r.StatusCode != 405 || r.Header.Get("Allow") == "" {
		t.Errorf("POST: got %v", r)
	}
}

// The links lead from view to view and stop at the ends.
func TestLinks(t *testing.T) {
	for _, c := range []struct{ query, before, after, agenda string }{
		{"", "?month=2026-10", "?month=2026-12", "?view=agenda"},
		{"?month=2026-12", "?month=2026-11", "?month=2027-01", "?view=agenda&from=2026-12-01"},
		{"?view=agenda", "?view=agenda&from=2026-08-23", "?view=agenda&from=2027-02-21", "?view=agenda"},
		{"?month=1900-01", "", "?month=1900-02", "?view=agenda&from=1900-01-01"},
		{"?month=2199-12", "?month=2199-11", "", "?view=agenda&from=2199-12-01"},
	} {
		_, body := ask(t, club(t), "GET", c.query)
		_, links := read(t, body)
		for _, l := range []struct{ name, want string }{{"prev", c.before}, {"next", c.after}, {"Agenda", c.agenda}} {
			want := ""
			if l.want != "" {
				want = "/public/alice/club/" + l.want
			}
			if got := links[l.name]; got != want {
				t.Errorf("%q: %s leads to %q, want %q", c.query, l.name, got, want)
			}
		}
	}
}

func TestHeaders(t *testing.T) {
	p := club(t, "DTSTART;VALUE=DATE:20261121|SUMMARY:a")
	r, body := ask(t, p, "GET", "")
	tag := r.Header.Get("ETag")
	csp := r.Header.Get("Content-Security-Policy")
	if tag == "" || r.Header.Get("Content-Type") != "text/html; charset=utf-8" || r.Header.Get("Cache-Control") != "no-cache" ||
		!strings.Contains(csp, "default-src 'none'") || strings.Contains(csp, "unsafe") {
		t.Errorf("got %v", r.Header)
	}
	if head, none := ask(t, p, "HEAD", ""); none != "" || head.Header.Get("Content-Length") != fmt.Sprint(len(body)) {
		t.Errorf("HEAD: got %q and %v, want no body and the length of one", none, head.Header)
	}
	for _, c := range []struct {
		name   string
		query  string
		match  string
		change func(*Page)
		want   int
	}{
		{"the same", "", tag, nil, 304},
		{"weak, in a list", "", `"x", W/` + tag, nil, 304},
		{"anything", "", "*", nil, 304},
		{"another tag", "", `"x"`, nil, 200},
		{"another month", "?month=2026-10", tag, nil, 200},
		{"agenda", "?view=agenda", tag, nil, 200},
		{"the calendar changed", "", tag, func(p *Page) { p.Tag = "2" }, 200},
		{"another colour", "", tag, func(p *Page) { p.Colour = "#ff0000" }, 200},
		{"the next day", "", tag, func(p *Page) { p.Now = func() time.Time { return time.Date(2026, 11, 23, 12, 0, 0, 0, vienna) } }, 200},
		{"later that day", "", tag, func(p *Page) { p.Now = func() time.Time { return time.Date(2026, 11, 22, 12, 0, 0, 0, vienna) } }, 304},
	} {
		q := *p
		if c.change != nil {
			c.change(&q)
		}
		if r, _ := ask(t, &q, "GET", c.query, "If-None-Match", c.match); r.StatusCode != c.want {
			t.Errorf("%s: got %d, want %d", c.name, r.StatusCode, c.want)
		}
	}
}

// read checks what must hold of every page: no scripts nor handlers nor styles that
// the policy would refuse, one h1, headings without gaps, each id once, each link
// within the page to an id that is there. It returns the text and where links lead,
// by their rel or text.
func read(t testing.TB, page string) (text string, links map[string]string) {
	t.Helper()
	doc, err := html.Parse(strings.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	ids, anchors, level, h1 := map[string]bool{}, []string{}, 0, 0
	links = map[string]string{}
	var b strings.Builder
	for n := range doc.Descendants() {
		switch {
		case n.Type == html.TextNode && n.Parent.Data != "style":
			b.WriteString(n.Data)
		case n.Type != html.ElementNode:
			continue
		case n.Data == "script" || n.Data == "img" || n.Data == "iframe" || n.Data == "form":
			t.Errorf("there is a <%s>", n.Data)
		case regexp.MustCompile(`^h[1-6]$`).MatchString(n.Data):
			if now := int(n.Data[1] - '0'); now > level+1 {
				t.Errorf("h%d follows h%d", now, level)
			}
			if level = int(n.Data[1] - '0'); level == 1 {
				h1++
			}
		}
		for _, a := range n.Attr {
			switch {
			case strings.HasPrefix(a.Key, "on") || a.Key == "style":
				t.Errorf("<%s> has %s=%q", n.Data, a.Key, a.Val)
			case a.Key == "id" && ids[a.Val]:
				t.Errorf("id %q stands twice", a.Val)
			case a.Key == "id":
				ids[a.Val] = true
			case a.Key == "href" && strings.HasPrefix(a.Val, "#"):
				anchors = append(anchors, a.Val[1:])
			case a.Key == "href" && !regexp.MustCompile(`^(https?://|webcal://|/)`).MatchString(a.Val):
				t.Errorf("a link leads to %q", a.Val)
			}
		}
		if n.Data == "a" {
			name := ""
			if n.FirstChild != nil {
				name = n.FirstChild.Data
			}
			href := ""
			for _, a := range n.Attr {
				if a.Key == "rel" {
					name, _, _ = strings.Cut(a.Val, " ")
				}
				if a.Key == "href" {
					href = a.Val
				}
			}
			links[name] = href
		}
	}
	for _, a := range anchors {
		if !ids[a] {
			t.Errorf("a link leads to #%s, which is not there", a)
		}
	}
	if h1 != 1 {
		t.Errorf("got %d h1, want 1", h1)
	}
	return b.String(), links
}

func TestHostile(t *testing.T) {
	bad := `</style><script>alert(1)</script>"'<img src=x onerror=alert(1)>`
	escaped := strings.ReplaceAll(strings.ReplaceAll(bad, ";", `\;`), ",", `\,`)
	p := club(t, "DTSTART:20261121T100000Z|SUMMARY:"+escaped+"|LOCATION:"+escaped+"|DESCRIPTION:"+escaped+" https://example.org/\"onclick=x|URL:javascript:alert(1)",
		"DTSTART:20261121T110000Z|URL:https://example.org/?a=<b>|SUMMARY:"+strings.Repeat("long", 5000))
	p.Name, p.Description, p.Owner, p.Colour = bad, bad, bad, "red}</style><script>"
	for _, query := range []string{"", "?view=agenda"} {
		r, body := ask(t, p, "GET", query)
		if r.StatusCode != 200 {
			t.Fatalf("got %d", r.StatusCode)
		}
		text, _ := read(t, body)
		if !strings.Contains(text, bad) {
			t.Error("what was written is not to be read")
		}
		if len(body) > 100_000 {
			t.Errorf("the page has %d bytes", len(body))
		}
	}
	p.Feed = "javascript:alert(1)"
	if _, body := ask(t, p, "GET", ""); strings.Contains(body, `href="javascript`) || strings.Contains(body, "webcal") {
		t.Error("a feed that is no address of the web is linked")
	}
}

func TestPrivate(t *testing.T) {
	p := club(t, "DTSTART:20261121T100000Z|SUMMARY:dentist|CLASS:PRIVATE", "DTSTART:20261121T110000Z|SUMMARY:bank|LOCATION:there|CLASS:confidential",
		"DTSTART:20261121T120000Z|SUMMARY:party|ATTENDEE;CN=Bob:mailto:bob@example.org")
	for _, query := range []string{"", "?view=agenda&from=2026-11-01"} {
		_, body := ask(t, p, "GET", query)
		text, _ := read(t, body)
		for _, secret := range []string{"dentist", "bank", "there", "bob", "Bob"} {
			if strings.Contains(text, secret) {
				t.Errorf("%s shows %q", query, secret)
			}
		}
		if !strings.Contains(text, "Busy") || !strings.Contains(text, "party") {
			t.Errorf("%s does not show what it may", query)
		}
	}
}

func TestTooMany(t *testing.T) {
	p := club(t, "DTSTART:20261101T000000Z|RRULE:FREQ=MINUTELY|SUMMARY:tick", "DTSTART:20261101T000000Z|RRULE:FREQ=HOURLY|SUMMARY:tock")
	_, body := ask(t, p, "GET", "")
	read(t, body)
	if !strings.Contains(body, "more than this page can show") || strings.Count(body, `class="event"`) > maxEntries {
		t.Errorf("got %d events", strings.Count(body, `class="event"`))
	}
}

func FuzzPage(f *testing.F) {
	f.Add("view=agenda&from=2026-11-01", "SUMMARY:x\nDTSTART:20261121T100000Z\nDESCRIPTION:https://a.example/)")
	f.Add("month=2026-11", "DTSTART;VALUE=DATE:20261121\nRRULE:FREQ=DAILY\nSUMMARY:<b>")
	f.Fuzz(func(t *testing.T, query, event string) {
		c, err := ical.Parse([]byte("BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:1\n" + event + "\nEND:VEVENT\nEND:VCALENDAR\n"))
		if err != nil {
			return
		}
		p := club(t)
		p.Events = func(r ical.TimeRange, limit int) iter.Seq2[ical.Instance, error] {
			return c.Instances(r, vienna, limit)
		}
		r := httptest.NewRequest("GET", "/", nil)
		r.URL.RawQuery = query
		w := httptest.NewRecorder()
		p.ServeHTTP(w, r)
		if w.Code == 200 {
			read(t, w.Body.String())
		} else if w.Code != 404 {
			t.Errorf("got %d", w.Code)
		}
	})
}
