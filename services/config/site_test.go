package config

import (
	"reflect"
	"strings"
	"testing"

	"cairn/services/tomlfile"
	"time"
)

func TestSiteRoundTrip(t *testing.T) {
	for _, want := range []Site{
		{Name: "www", Owner: "alice"},
		{Name: "www", Owner: "alice", AllowForce: []string{}}, // nothing, not the default
		{
			Name: "www", Owner: "alice", Writers: []string{"bob"}, Readers: []string{"carol", Everyone},
			Hosts: []string{"www.example.org", "xn--bcher-kva.example"}, AllowForce: []string{"draft-*", "tags/*"},
			Protect: map[string][]string{"/club/": {"alice"}, "/m/": {Everyone}},
			Remote:  &Remote{URL: "https://forge.example/a/b.git", Branch: "pages", Poll: 5 * time.Minute, Webhook: true},
		},
		{Name: "www", Owner: "alice", Private: true, Readers: []string{"carol"}},
	} {
		data, err := want.encode()
		if err != nil {
			t.Fatalf("encode %+v: %v", want, err)
		}
		got, err := decode("www", data, true)
		if err != nil || !reflect.DeepEqual(*got, want) {
			t.Errorf("got %+v, %v, want %+v; in between\n%s", got, err, want, data)
		}
	}
}

func TestSiteRefused(t *testing.T) {
	for what, c := range map[string]struct{ name, text string }{
		"no owner":            {"www", ""},
		"owner":               {"www", `owner = "../alice"`},
		"owner is nobody":     {"www", `owner = ""`},
		"owner is everybody":  {"www", `owner = "*"`},
		"writers everybody":   {"www", "owner = \"a\"\nwriters = [\"*\"]"},
		"private and public":  {"www", "owner = \"a\"\nprivate = true\nreaders = [\"*\"]"},
		"name":                {"WWW", `owner = "a"`},
		"reserved name":       {"accounts", `owner = "a"`},
		"long name":           {strings.Repeat("x", 33), `owner = "a"`},
		"newline after":       {"www\n", `owner = "a"`},
		"unknown key":         {"www", "owner = \"a\"\nownr = \"b\""},
		"unknown key below":   {"www", "owner = \"a\"\n[remote]\nurl = \"https://x.example/\"\ntoken = \"x\""},
		"type":                {"www", "owner = 7"},
		"not TOML":            {"www", "owner: alice"},
		"NUL":                 {"www", "owner = \"a\\u0000\""},
		"host upper case":     {"www", "owner = \"a\"\nhosts = [\"WWW.example.org\"]"},
		"host with port":      {"www", "owner = \"a\"\nhosts = [\"example.org:80\"]"},
		"host empty label":    {"www", "owner = \"a\"\nhosts = [\"a..b\"]"},
		"host of nothing":     {"www", "owner = \"a\"\nhosts = [\"\"]"},
		"host too long":       {"www", "owner = \"a\"\nhosts = [\"" + strings.Repeat("abcdefg.", 32) + "org\"]"},
		"host twice":          {"www", "owner = \"a\"\nhosts = [\"a.example\", \"a.example\"]"},
		"protected path":      {"www", "owner = \"a\"\n[protect]\nclub = [\"a\"]"},
		"protected for whom":  {"www", "owner = \"a\"\n[protect]\n\"/club/\" = [\"A B\"]"},
		"remote file":         {"www", "owner = \"a\"\n[remote]\nurl = \"file:///etc\""},
		"remote path":         {"www", "owner = \"a\"\n[remote]\nurl = \"/etc\""},
		"remote empty":        {"www", "owner = \"a\"\n[remote]\nbranch = \"x\""},
		"remote ext":          {"www", "owner = \"a\"\n[remote]\nurl = \"ext::sh -c id\""},
		"password in git":     {"www", "owner = \"a\"\n[remote]\nurl = \"https://a:b@x.example/\""},
		"polls too often":     {"www", "owner = \"a\"\n[remote]\nurl = \"https://x.example/\"\npoll = \"1s\""},
		"polls backwards":     {"www", "owner = \"a\"\n[remote]\nurl = \"https://x.example/\"\npoll = \"-1h\""},
		"too large":           {"www", "owner = \"a\" #" + strings.Repeat("x", tomlfile.MaxBytes)},
		"dotted key":          {"www", "owner = \"a\"\na" + strings.Repeat(".a", 30000) + " = 1"},
		"nested tables":       {"www", "owner = \"a\"\na = " + strings.Repeat("{a=", 20000)},
		"dotted key, several": {"www", strings.Repeat("a"+strings.Repeat(".a", 4000)+"=1\n", 7)},
	} {
		if s, err := decode(c.name, []byte(c.text), true); err == nil {
			t.Errorf("%s: was accepted as %+v", what, s)
		}
	}
}

func TestUnknownKeyIsTolerated(t *testing.T) {
	s, err := decode("www", []byte("owner = \"a\"\ncolour = \"green\"\n"), false)
	if err != nil || s.Owner != "a" {
		t.Errorf("got %+v, %v, want the site of a", s, err)
	}
}

func TestMayForce(t *testing.T) {
	for _, c := range []struct {
		list   []string
		branch string
		want   bool
	}{
		{nil, "main", false}, {nil, "draft", true}, {nil, "a/main", true}, {nil, "tags/v1", true}, {nil, "Main", true},
		{[]string{}, "draft", false},
		{[]string{"*"}, "main", true},
		{[]string{"main"}, "main", true}, {[]string{"main"}, "draft", false},
		{[]string{"draft-*"}, "draft-x/y", true}, {[]string{"draft-*"}, "draft", false}, {[]string{"draft-*"}, "xdraft-", false},
		{[]string{"*/wip/*"}, "alice/wip/1", true}, {[]string{"*/wip/*"}, "wip/1", false},
		{[]string{"a*a"}, "a", false}, {[]string{"a*a"}, "aa", true}, {[]string{"a*b*a"}, "aba", true}, {[]string{"a*b*a"}, "aab", false},
		{[]string{"[m]ain", "m?in"}, "main", false},
		{[]string{""}, "main", false},
	} {
		if got := (&Site{AllowForce: c.list}).MayForce(c.branch); got != c.want {
			t.Errorf("%q of %q: got %v, want %v", c.branch, c.list, got, c.want)
		}
	}
}

func TestMayReadAndWrite(t *testing.T) {
	s := &Site{Owner: "alice", Writers: []string{"bob"}, Readers: []string{"carol"}}
	public := &Site{Owner: "alice", Readers: []string{Everyone}}
	for _, c := range []struct {
		s           *Site
		user        string
		read, write bool
	}{
		{s, "alice", true, true}, {s, "bob", true, true}, {s, "carol", true, false}, {s, "dave", false, false}, {s, "", false, false},
		{s, Everyone, false, false}, {&Site{}, "", false, false},
		{public, "alice", true, true}, {public, "dave", true, false}, {public, "", true, false},
	} {
		if read, write := c.s.MayRead(c.user), c.s.MayWrite(c.user); read != c.read || write != c.write {
			t.Errorf("%q: may read %v, write %v, want %v, %v", c.user, read, write, c.read, c.write)
		}
	}
}

func FuzzSite(f *testing.F) {
	f.Add([]byte("owner = \"alice\"\nwriters = [\"bob\"]\nhosts = [\"www.example.org\"]\nallow_force = [\"draft-*\"]\n"))
	f.Add([]byte("owner = \"a\"\n[protect]\n\"/club/\" = [\"a\"]\n[remote]\nurl = \"https://forge.example/s.git\"\npoll = \"5m\"\n"))
	f.Add([]byte("owner = \"a\"\na" + strings.Repeat(".a", 3000) + " = 1"))
	f.Add([]byte("a=" + strings.Repeat("[", 3000)))
	f.Fuzz(func(t *testing.T, data []byte) {
		_, tolerant := decode("www", data, false)
		s, err := decode("www", data, true)
		if err != nil {
			return
		}
		if tolerant != nil {
			t.Errorf("%q passes as a push and cannot be read: %v", data, tolerant)
		}
		again, err := s.encode()
		if err != nil {
			t.Fatalf("%q is read as %+v, which cannot be written: %v", data, s, err)
		}
		back, err := decode("www", again, true)
		if err != nil {
			t.Fatalf("%q is written as %q: %v", data, again, err)
		}
		if third, _ := back.encode(); string(third) != string(again) {
			t.Errorf("%q becomes %q, then %q", data, again, third)
		}
	})
}

func TestValidName(t *testing.T) {
	for name, want := range map[string]bool{
		"www": true, "a": true, "my-site": true, "9": true, strings.Repeat("a", 32): true,
		"": false, "-a": false, "a-": false, "draft--www": false, "xn--a": false, "A": false, "a.b": false, "a_b": false,
		"config": false, "all": false, strings.Repeat("a", 33): false, "a\n": false,
	} {
		if got := ValidName(name); got != want {
			t.Errorf("ValidName(%q) = %v, want %v", name, got, want)
		}
	}
}
