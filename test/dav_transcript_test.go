package test

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
)

// TestDavTranscripts sends what Apple's Calendar and Contacts, DAVx5, Thunderbird and
// Evolution send when somebody adds an account and what follows, and holds the answers
// against what these programs go by. A transcript is a file testdata/dav/*.txtar whose
// comment has lines
//
//	C: PROPFIND /calendars/alice/ body.xml   a request, with a file of the archive as its body
//	C: Depth: 1                              a field of its head
//	S: 207                                   the status of the answer
//	S: DAV: calendar-access                  a field of its head and what it contains
//	S: text BEGIN:VCALENDAR                  what the body contains
//	S: /calendars/alice/home/ D:displayname = Calendar
//	S: /calendars/alice/home/ D:resourcetype/C:calendar
//	S: /calendars/alice/home/ ! A:refreshrate
//	S: /calendars/alice/home/old.ics = 404
//	S: // D:sync-token -> TOKEN
//
// of which the last five are about a multistatus: a property of one response, the text
// of an element or that there is one; one that is answered with 404; the status of a
// response as a whole; and a text, of a response or (//) of the whole answer, that is kept
// as $TOKEN for the lines that follow. The prefixes are those in spaces.
func TestDavTranscripts(t *testing.T) {
	files, err := filepath.Glob("testdata/dav/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no transcripts: %v", err)
	}
	i := up(t)
	for n, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			archive, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			p := newPerson(t, i, fmt.Sprint("alice", n))
			cairn(t, i.home, "user", "address", "add", p.name, p.name+"@example.org")
			s := &talk{person: p, t: t, bodies: map[string]string{}, known: map[string]string{"USER": p.name, "BASE": i.Dav}}
			for _, f := range archive.Files {
				s.bodies[f.Name] = string(f.Data)
			}
			for n, line := range strings.Split(string(archive.Comment), "\n") {
				if err := s.line(strings.TrimRight(line, " ")); err != nil {
					t.Fatalf("%s:%d: %s: %v", file, n+1, line, err)
				}
			}
			if err := s.send(); err != nil {
				t.Fatal(err)
			}
		})
	}
}

// spaces are the prefixes that transcripts use.
var spaces = map[string]string{
	"D": "DAV:", "C": "urn:ietf:params:xml:ns:caldav", "R": "urn:ietf:params:xml:ns:carddav",
	"CS": "http://calendarserver.org/ns/", "A": "http://apple.com/ns/ical/",
}

// A talk is one transcript under way.
type talk struct {
	*person
	t      *testing.T
	bodies map[string]string
	known  map[string]string // what is kept, by name

	method, path, body string // the request that is being put together; "" for none
	head               []string
	got                answer
	tree               *element
}

// expand replaces what is kept.
func (s *talk) expand(text string) string {
	for _, name := range slices.Backward(slices.SortedFunc(maps.Keys(s.known), func(a, b string) int { return len(a) - len(b) })) {
		text = strings.ReplaceAll(text, "$"+name, s.known[name])
	}
	return text
}

var headField = regexp.MustCompile(`^([A-Za-z][A-Za-z-]*): (.*)$`)

// line obeys one line.
func (s *talk) line(line string) error {
	kind, text, _ := strings.Cut(line, ": ")
	switch {
	case strings.TrimSpace(line) == "", strings.HasPrefix(line, "#"):
		return nil
	case kind == "C":
		if f := headField.FindString(text); f != "" {
			s.head = append(s.head, s.expand(f))
			return nil
		}
		words := strings.Fields(s.expand(text))
		if len(words) < 2 || len(words) > 3 {
			return errors.New("a request is a method, a path and perhaps a body")
		}
		if err := s.send(); err != nil {
			return err
		}
		s.method, s.path, s.body, s.head = words[0], words[1], "", nil
		if len(words) == 3 {
			body, ok := s.bodies[words[2]]
			if !ok {
				return fmt.Errorf("there is no file %s", words[2])
			}
			s.body = s.expand(body)
		}
		return nil
	case kind == "S":
		if err := s.send(); err != nil {
			return err
		}
		if err := s.judge(s.expand(text)); err != nil {
			return fmt.Errorf("%w\nthe answer: %d\n%v\n%s", err, s.got.status, s.got.head, s.got.body)
		}
		return nil
	}
	return errors.New("neither C: nor S:")
}

// send sends the request that has been put together.
func (s *talk) send() (err error) {
	if s.method == "" {
		return nil
	}
	if s.body != "" && !slices.ContainsFunc(s.head, func(f string) bool { return strings.HasPrefix(f, "Content-Type: ") }) {
		s.head = append(s.head, "Content-Type: text/xml; charset=utf-8")
	}
	if s.got, err = s.try(s.method, s.path, s.body, s.head...); err != nil {
		return err
	}
	s.method, s.tree = "", nil
	if strings.Contains(s.got.head.Get("Content-Type"), "xml") {
		if s.tree, err = parseXML(s.got.body); err != nil {
			return fmt.Errorf("%w in\n%s", err, s.got.body)
		}
	}
	return nil
}

// judge holds the answer against one expectation.
func (s *talk) judge(want string) error {
	href, rest, _ := strings.Cut(want, " ")
	switch f := headField.FindStringSubmatch(want); {
	case regexp.MustCompile(`^\d{3}$`).MatchString(want):
		if fmt.Sprint(s.got.status) != want {
			return errors.New("another status")
		}
		return nil
	case f != nil:
		if !strings.Contains(strings.Join(s.got.head.Values(f[1]), ", "), f[2]) {
			return fmt.Errorf("the field is %q", s.got.head.Values(f[1]))
		}
		return nil
	case href == "text":
		if !strings.Contains(s.got.body, rest) {
			return errors.New("that is not in the body")
		}
		return nil
	case s.tree == nil:
		return errors.New("the answer is no XML")
	case href == "//":
		return s.about(s.tree, rest)
	}
	for r := range s.tree.all("D:response") {
		if strings.TrimSpace(r.text("D:href")) != href {
			continue
		}
		if status, ok := strings.CutPrefix(rest, "= "); ok {
			if !strings.Contains(r.text("D:status"), status) {
				return fmt.Errorf("its status is %q", r.text("D:status"))
			}
			return nil
		}
		return s.response(r, rest)
	}
	return errors.New("there is no such response")
}

// response judges the properties of one.
func (s *talk) response(r *element, want string) error {
	status := "200"
	name, absent := strings.CutPrefix(want, "! ")
	if absent {
		status = "404"
	}
	props := &element{}
	for p := range r.all("D:propstat") {
		if strings.Contains(p.text("D:status"), status) {
			for prop := range p.all("D:prop") {
				props.children = append(props.children, prop.children...)
			}
		}
	}
	return s.about(props, name)
}

// about judges, or keeps, what is at a path below an element.
func (s *talk) about(e *element, want string) error {
	path, keep, keeps := strings.Cut(want, " -> ")
	path, text, equal := strings.Cut(path, " = ")
	found := e.at(path)
	switch {
	case len(found) == 0:
		return fmt.Errorf("there is no %s", path)
	case keeps:
		s.known[keep] = strings.TrimSpace(found[0].chars)
	case equal && !slices.ContainsFunc(found, func(f *element) bool { return strings.TrimSpace(f.chars) == text }):
		return fmt.Errorf("it is %q", found[0].chars)
	}
	return nil
}

// An element is one of an XML document.
type element struct {
	name     xml.Name
	attrs    []xml.Attr
	chars    string
	children []*element
}

func parseXML(text string) (*element, error) {
	top := &element{}
	open := []*element{top}
	for d := xml.NewDecoder(strings.NewReader(text)); ; {
		token, err := d.Token()
		if err == io.EOF {
			if len(top.children) != 1 {
				return nil, errors.New("not one XML element")
			}
			return top.children[0], nil
		}
		if err != nil {
			return nil, err
		}
		last := open[len(open)-1]
		switch token := token.(type) {
		case xml.StartElement:
			e := &element{name: token.Name, attrs: token.Attr}
			last.children = append(last.children, e)
			open = append(open, e)
		case xml.EndElement:
			open = open[:len(open)-1]
		case xml.CharData:
			last.chars += string(token)
		}
	}
}

// at finds the elements at a path such as D:resourcetype/C:calendar; C:comp[VEVENT] is one
// with that attribute.
func (e *element) at(path string) []*element {
	step, rest, more := strings.Cut(path, "/")
	var found []*element
	for c := range e.all(step) {
		if more {
			found = append(found, c.at(rest)...)
		} else {
			found = append(found, c)
		}
	}
	return found
}

// all yields the children of a name.
func (e *element) all(step string) func(func(*element) bool) {
	step, attr, _ := strings.Cut(strings.TrimSuffix(step, "]"), "[")
	prefix, local, _ := strings.Cut(step, ":")
	return func(yield func(*element) bool) {
		for _, c := range e.children {
			has := attr == "" || slices.ContainsFunc(c.attrs, func(a xml.Attr) bool { return a.Value == attr })
			if c.name == (xml.Name{Space: spaces[prefix], Local: local}) && has && !yield(c) {
				return
			}
		}
	}
}

func (e *element) text(path string) string {
	for _, f := range e.at(path) {
		return f.chars
	}
	return ""
}
