package dav

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
)

func TestMultistatus(t *testing.T) {
	w := httptest.NewRecorder()
	m := NewMultistatus(w)
	r := m.Response("/a%20b")
	r.Text(DisplayName, "A & B")
	r.Missing(Name{"urn:x", "color"})
	r.Hrefs(D("owner"), "/p/")
	r.Refuse(D("acl"), 403, Violated(403, D("need-privileges"), "not yours"))
	r.Inner(ResourceType, Build(func(b *Builder) { b.Empty(Collection) }))
	r.Missing(D("x"))
	r.Done()
	m.Status("/gone", 404, nil)
	m.Status("/c/", 507, Violated(507, D("number-of-matches-within-limits"), "only two"))
	m.Response("/empty").Done()
	m.SyncToken("urn:t")
	if m.Started() {
		t.Error("bytes went out before there were many")
	}
	if err := m.Close(); err != nil {
		t.Fatal(err)
	}
	if w.Code != 207 || w.Header().Get("Content-Type") != contentType || w.Header().Get("Content-Length") != fmt.Sprint(w.Body.Len()) {
		t.Errorf("got %d with %v", w.Code, w.Header())
	}
	want := `<d:multistatus` + declareSpaces + `>
<d:response><d:href>/a%20b</d:href><d:propstat><d:prop><d:displayname>A &amp; B</d:displayname><d:owner><d:href>/p/</d:href></d:owner>` +
		`<d:resourcetype><d:collection/></d:resourcetype></d:prop><d:status>HTTP/1.1 200 OK</d:status></d:propstat>` +
		`<d:propstat><d:prop><x:color xmlns:x="urn:x"/><d:x/></d:prop><d:status>HTTP/1.1 404 Not Found</d:status></d:propstat>` +
		`<d:propstat><d:prop><d:acl/></d:prop><d:status>HTTP/1.1 403 Forbidden</d:status><d:error><d:need-privileges/></d:error>` +
		`<d:responsedescription>not yours</d:responsedescription></d:propstat></d:response>
<d:response><d:href>/gone</d:href><d:status>HTTP/1.1 404 Not Found</d:status></d:response>
<d:response><d:href>/c/</d:href><d:status>HTTP/1.1 507 Insufficient Storage</d:status><d:error><d:number-of-matches-within-limits/></d:error>` +
		`<d:responsedescription>only two</d:responsedescription></d:response>
<d:response><d:href>/empty</d:href><d:propstat><d:prop></d:prop><d:status>HTTP/1.1 200 OK</d:status></d:propstat></d:response><d:sync-token>urn:t</d:sync-token>
</d:multistatus>
`
	if got := strings.TrimPrefix(w.Body.String(), xmlHead); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// TestMinimal: what was not found is left out (RFC 8144 §2.1), other refusals are not.
func TestMinimal(t *testing.T) {
	w := httptest.NewRecorder()
	m := NewMultistatus(w)
	m.Minimal = true
	r := m.Response("/")
	r.Missing(DisplayName)
	r.Done()
	r = m.Response("/b")
	r.Missing(DisplayName)
	r.Refuse(D("acl"), 403, nil)
	r.Done()
	m.Close()
	var got []string
	for resp := range read(t, w.Body.String()).All(D("response")) {
		for stat := range resp.All(D("propstat")) {
			got = append(got, resp.Child(nameHref).Text()+" "+stat.Child(D("status")).Text())
		}
	}
	want := []string{"/ HTTP/1.1 200 OK", "/b HTTP/1.1 403 Forbidden"}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestNested is expand-property: a response within a property, and more properties after it.
func TestNested(t *testing.T) {
	w := httptest.NewRecorder()
	m := NewMultistatus(w)
	r := m.Response("/a")
	r.Value(D("owner"), func(b *Builder) {
		in := b.Response("/p")
		in.Missing(D("x"))
		in.Text(DisplayName, "P")
		in.Done()
	})
	r.Text(DisplayName, "A")
	r.Done()
	m.Close()
	props := read(t, w.Body.String()).Child(D("response")).Child(D("propstat")).Child(nameProp)
	if got, want := props.Names(), []Name{D("owner"), DisplayName}; !reflect.DeepEqual(got, want) {
		t.Fatalf("got %v, want %v", got, want)
	}
	inner := props.Child(D("owner")).Child(D("response"))
	if got, want := inner.Names(), []Name{nameHref, D("propstat"), D("propstat")}; !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestRefuseMkcol(t *testing.T) {
	for _, calendar := range []bool{false, true} {
		w := httptest.NewRecorder()
		RefuseMkcol(w, calendar, func(r *Response) {
			r.Refuse(ResourceType, 403, Violated(403, D("valid-resourcetype"), ""))
			r.Refuse(DisplayName, 424, nil)
		})
		root := read(t, w.Body.String())
		want := D("mkcol-response")
		if calendar {
			want = Cal("mkcalendar-response")
		}
		if w.Code != 403 || root.Name != want || len(root.Names()) != 2 {
			t.Errorf("got %d: %s", w.Code, w.Body)
		}
	}
}

// countingWriter takes bytes and holds none.
type countingWriter struct {
	h       http.Header
	bytes   int
	largest int
	err     error
}

func (w *countingWriter) Header() http.Header { return w.h }
func (w *countingWriter) WriteHeader(int)     {}
func (w *countingWriter) Write(p []byte) (int, error) {
	w.bytes += len(p)
	w.largest = max(w.largest, len(p))
	return len(p), w.err
}

// list answers a PROPFIND of n resources with what clients ask for.
func list(w http.ResponseWriter, n int) error {
	m := NewMultistatus(w)
	for i := range n {
		r := m.Response("/calendars/alice/home/" + strings.Repeat("0123456789abcdef-", 2) + ".ics")
		r.Text(GetETag, `"0123456789012345678901234567890123456789"`)
		r.Text(GetContentType, "text/calendar; charset=utf-8; component=VEVENT")
		r.Inner(ResourceType, "")
		if i%2 == 0 {
			r.Missing(DisplayName)
		}
		r.Missing(Name{"urn:x", "y"})
		r.Done()
	}
	return m.Close()
}

// TestMultistatusStreams checks that memory does not grow with the number of resources.
func TestMultistatusStreams(t *testing.T) {
	w := &countingWriter{h: http.Header{}}
	if err := list(w, 10_000); err != nil {
		t.Fatal(err)
	}
	if w.bytes < 1<<20 || w.largest > 64<<10 {
		t.Errorf("%d bytes went out, the largest piece %d", w.bytes, w.largest)
	}
	if w.h.Get("Content-Length") != "" {
		t.Error("a stream was given a length")
	}
	allocs := testing.AllocsPerRun(1, func() { list(w, 1000) })
	if allocs > 3000 {
		t.Errorf("%v allocations for 1,000 resources, want at most 3 each", allocs)
	}
}

func TestMultistatusTellsOfABrokenConnection(t *testing.T) {
	w := &countingWriter{h: http.Header{}, err: io.ErrClosedPipe}
	if err := list(w, 10_000); !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("got %v, want %v", err, io.ErrClosedPipe)
	}
}

func BenchmarkMultistatus10000(b *testing.B) {
	w := &countingWriter{h: http.Header{}}
	b.ReportAllocs()
	for b.Loop() {
		list(w, 10_000)
	}
	b.SetBytes(int64(w.bytes / (b.N + 1)))
}

func TestErrors(t *testing.T) {
	for _, c := range []struct {
		err      *Error
		want     string
		wantType string
	}{
		{&Error{Status: 404}, "Not Found\n", "text/plain; charset=utf-8"},
		{Errorf(400, "no %s", "way"), "no way\n", "text/plain; charset=utf-8"},
		{Violated(403, Cal("valid-calendar-data"), "line <3>"),
			xmlHead + `<d:error` + declareSpaces + `><cal:valid-calendar-data/><d:responsedescription>line &lt;3&gt;</d:responsedescription></d:error>` + "\n", contentType},
		{&Error{Status: 409, Precondition: Cal("no-uid-conflict"), Hrefs: []string{"/a"}},
			xmlHead + `<d:error` + declareSpaces + `><cal:no-uid-conflict><d:href>/a</d:href></cal:no-uid-conflict></d:error>` + "\n", contentType},
		{&Error{Status: 403, Precondition: D("need-privileges"), Hrefs: []string{"/a"}, Privileges: []Name{D("bind")}},
			xmlHead + `<d:error` + declareSpaces + `><d:need-privileges><d:resource><d:href>/a</d:href><d:privilege><d:bind/></d:privilege></d:resource></d:need-privileges></d:error>` + "\n", contentType},
	} {
		w := httptest.NewRecorder()
		c.err.Write(w)
		if w.Code != c.err.Status || w.Body.String() != c.want || w.Header().Get("Content-Type") != c.wantType {
			t.Errorf("got %d %s\n%s\nwant\n%s", w.Code, w.Header().Get("Content-Type"), w.Body, c.want)
		}
	}
	w := httptest.NewRecorder()
	(&Error{Status: 503, RetryAfter: 30}).Write(w)
	if got := w.Header().Get("Retry-After"); got != "30" {
		t.Errorf("Retry-After: got %q, want 30", got)
	}
	if got := AsError(errors.New("disk on fire")); got.Status != 500 || got.Text != "" {
		t.Errorf("got %v, want a 500 that says nothing", got)
	}
	if got := AsError(fmt.Errorf("put: %w", Errorf(409, "x"))); got.Status != 409 {
		t.Errorf("got %v, want 409", got)
	}
}

// TestDocuments: answers that are no multistatus, and values read back.
func TestDocuments(t *testing.T) {
	w := httptest.NewRecorder()
	if err := WriteProp(w, 201, func(b *Builder) { b.Prop(Prop{Name{"u", "x"}, `<x xmlns="u">y</x>`}) }); err != nil {
		t.Fatal(err)
	}
	if got, want := w.Body.String(), xmlHead+`<d:prop`+declareSpaces+`><x xmlns="u">y</x></d:prop>`+"\n"; w.Code != 201 || got != want {
		t.Errorf("got %d %s, want %s", w.Code, got, want)
	}
	props, err := Values(func(r *Response) {
		r.Missing(D("x"))
		r.Hrefs(D("owner"), "/a", "/b")
		r.Data(CalendarData, []byte("BEGIN:\r\n<\xff"), At("version", "2.0"))
	})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := props.Child(D("owner")).Hrefs(), []string{"/a", "/b"}; !reflect.DeepEqual(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	data := props.Child(CalendarData)
	if got, want := data.Text(), "BEGIN:\r\n<\uFFFD"; got != want || data.Attr("version") != "2.0" || props.Child(D("x")) != nil {
		t.Errorf("got %q, want %q", got, want)
	}
	if got, want := Build(func(b *Builder) { b.Node(Node{Element: data}); b.Node(Node{Text: "<"}) }),
		`<cal:calendar-data xmlns:cal="urn:ietf:params:xml:ns:caldav" version="2.0">BEGIN:&#13;`+"\n&lt;\uFFFD</cal:calendar-data>&lt;"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if props, err := Values(func(*Response) {}); err != nil || len(props.Names()) != 0 {
		t.Errorf("nothing: got %v, %v", props, err)
	}
}
