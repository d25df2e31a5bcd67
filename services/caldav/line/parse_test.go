package line

import (
	"errors"
	"reflect"
	"strings"
	"testing"
)

func one(t *testing.T, text string) *Component {
	t.Helper()
	all, err := Parse([]byte(text))
	if err != nil || len(all) != 1 {
		t.Fatalf("Parse(%q) = %d components, %v", text, len(all), err)
	}
	return all[0]
}

func TestParse(t *testing.T) {
	c := one(t, "\ufeffbegin:vcard\r\n"+
		"item1.TEL;TYPE=home,\"a;b\";PREF=1:+1\n"+
		"\r\n"+
		"NOTE;x-p=a^nb^^c^'d^e:one \r\n  two\n\tthree\r\n"+
		"TEL;HOME;CELL:2\r\n"+
		"BEGIN:SUB\nX:\nEND:sub\n"+
		"LAST;A=;B=\"\":x:y;z,w\n"+
		"END:VCARD")
	want := []Line{
		{Group: "item1", Name: "TEL", Params: []Param{{"TYPE", []string{"home", "a;b"}}, {"PREF", []string{"1"}}}, Value: "+1"},
		{Name: "NOTE", Params: []Param{{"X-P", []string{"a\nb^c\"d^e"}}}, Value: "one  twothree"},
		{Name: "TEL", Params: []Param{{"HOME", nil}, {"CELL", nil}}, Value: "2"},
		{Name: "LAST", Params: []Param{{"A", []string{""}}, {"B", []string{""}}}, Value: "x:y;z,w"},
	}
	if c.Name != "VCARD" || !reflect.DeepEqual(c.Lines, want) {
		t.Errorf("%s\n got %q\nwant %q", c.Name, c.Lines, want)
	}
	if len(c.Children) != 1 || c.Children[0].Name != "SUB" || len(c.Children[0].Lines) != 1 {
		t.Errorf("children: %+v", c.Children)
	}
	again := one(t, string(c.Encode()))
	if !reflect.DeepEqual(again, c) {
		t.Errorf("after Encode:\n got %+v\nwant %+v", again, c)
	}
}

func TestParseErrors(t *testing.T) {
	deep := strings.Repeat("BEGIN:A\n", MaxDepth+1)
	for _, c := range []struct {
		text string
		line int
	}{
		{"", 1},
		{"\n\n", 2},
		{"X:1\n", 1},
		{" X:1\n", 1},
		{"BEGIN:A\nX:1\n", 2},
		{"BEGIN:A\nEND:B\n", 2},
		{"BEGIN:A\nBEGIN:B\nEND:A\nEND:B\n", 3},
		{"BEGIN:A\nEND:A\nX:1\n", 3},
		{"BEGIN:A\nEND:A\nEND:A\n", 3},
		{"BEGIN:\nEND:\n", 1},
		{"BEGIN:A\nX\nEND:A\n", 2},
		{"BEGIN:A\n:x\nEND:A\n", 2},
		{"BEGIN:A\nX Y:x\nEND:A\n", 2},
		{"BEGIN:A\n.X:x\nEND:A\n", 2},
		{"BEGIN:A\na.b.X:x\nEND:A\n", 2},
		{"BEGIN:A\nX;:x\nEND:A\n", 2},
		{"BEGIN:A\nX;P=\"a:x\nEND:A\n", 2},
		{"BEGIN:A\nX;P=\"a\"b:x\nEND:A\n", 2},
		{"BEGIN:A\nX;P=a\nEND:A\n", 2},
		{"BEGIN:A\nX;P\nEND:A\n", 2},
		{"BEGIN:A\nY:1\n\nX:a\n b\n c\x00\nEND:A\n", 4},
		{"BEGIN:A\nX:a\rb\nEND:A\n", 2},
		{"BEGIN:A\nX:\x7f\nEND:A\n", 2},
		{"BEGIN:A\nX:\xff\nEND:A\n", 2},
		{"BEGIN:A\nX:\xed\xa0\x80\nEND:A\n", 2},
		{"BEGIN:A\nX" + strings.Repeat(";P=1", MaxParams+1) + ":x\nEND:A\n", 2},
		{"BEGIN:A\nX;P=1" + strings.Repeat(",1", MaxValues) + ":x\nEND:A\n", 2},
		{deep, MaxDepth + 1},
	} {
		_, err := Parse([]byte(c.text))
		bad, ok := errors.AsType[*Error](err)
		if !ok || bad.Line != c.line {
			t.Errorf("Parse(%.60q) = %v, want an error in line %d", c.text, err, c.line)
		}
	}
}

// TestParseBounds makes sure that no short text makes much of itself, and that a long
// one is read in linear time, which one that hangs would not be.
func TestParseBounds(t *testing.T) {
	if _, err := Parse([]byte("BEGIN:A\n" + strings.Repeat("X:\n", MaxLines) + "END:A\n")); err == nil {
		t.Error("more than MaxLines lines are read")
	}
	long := strings.Repeat("x\n ", 1<<20)
	if c := one(t, "BEGIN:A\nX:"+long+"\nEND:A\n"); len(c.Lines[0].Value) != 1<<20 {
		t.Errorf("a value of %d bytes, want %d", len(c.Lines[0].Value), 1<<20)
	}
	if _, err := Parse([]byte("BEGIN:A\nX:" + strings.Repeat("x", MaxLength) + "\nEND:A\n")); err == nil {
		t.Error("a line longer than MaxLength is read")
	}
}

func TestEncodeFolds(t *testing.T) {
	c := &Component{Name: "A", Lines: []Line{{Name: "X", Value: strings.Repeat("äö€😀x", 60)}}}
	data := string(c.Encode())
	for l := range strings.SplitSeq(strings.TrimSuffix(data, "\r\n"), "\r\n") {
		if len(l) > 75 || strings.ToValidUTF8(l, "") != l {
			t.Errorf("line %q of %d bytes", l, len(l))
		}
	}
	if got := one(t, data); !reflect.DeepEqual(got, c) {
		t.Errorf("got %+v, want %+v", got, c)
	}
}

// TestEncodeParams makes sure that no parameter can break out of its place.
func TestEncodeParams(t *testing.T) {
	for _, v := range []string{"", "plain", "a,b", "a;b", "a:b", `say "x"`, "two\nlines", "^n", "^", "^^'", "tab\there"} {
		c := &Component{Name: "A", Lines: []Line{{Name: "X", Params: []Param{{"P", []string{v, "b"}}}, Value: "v"}}}
		if got, _ := one(t, string(c.Encode())).Lines[0].Param("P"); got != v {
			t.Errorf("parameter %q comes back as %q", v, got)
		}
	}
	l := Line{Name: "X", Params: []Param{{"P", []string{"a\r\nEND:A\x00\xff"}}}}
	if got, want := l.String(), "X;P=\"a^nEND:A\":"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestComponent(t *testing.T) {
	c := one(t, "BEGIN:A\nX:1\nY;P=1;Q=2;P=3:2\nX:3\nBEGIN:B\nEND:B\nEND:A\n")
	n := c.Clone()
	n.Set(Line{Name: "X", Value: "new"})
	n.Set(Line{Name: "Z", Value: "z"})
	y := n.First("Y")
	y.SetParam("P", "p")
	y.SetParam("R", "r")
	y.DelParam("Q")
	n.Children[0].Add(Line{Name: "W"})
	if got, want := string(n.Encode()), "BEGIN:A\r\nX:new\r\nY;P=p;R=r:2\r\nZ:z\r\nBEGIN:B\r\nW:\r\nEND:B\r\nEND:A\r\n"; got != want {
		t.Errorf("got %q\nwant %q", got, want)
	}
	if got, want := string(c.Encode()), "BEGIN:A\r\nX:1\r\nY;P=1;Q=2;P=3:2\r\nX:3\r\nBEGIN:B\r\nEND:B\r\nEND:A\r\n"; got != want {
		t.Errorf("the original changed:\n got %q\nwant %q", got, want)
	}
	if !n.Del("X", "Y") || n.Del("X") || n.First("X") != nil || n.Value("Z") != "z" {
		t.Errorf("after Del: %s", n.Encode())
	}
	for range n.Sub("B") {
		return
	}
	t.Error("no child B")
}

func TestHasValue(t *testing.T) {
	c := one(t, "BEGIN:A\nX;TYPE=HOME,work;TYPE=\"Pref, voice\":1\nX;CELL:2\nEND:A\n")
	for _, want := range []string{"home", "WORK", "pref", "VOICE"} {
		if !c.Lines[0].HasValue("TYPE", want) {
			t.Errorf("no TYPE=%s in %s", want, c.Lines[0].String())
		}
	}
	if c.Lines[0].HasValue("TYPE", "cell") || !c.Lines[1].HasValue("TYPE", "cell") {
		t.Error("TYPE=cell is where it is not, or not where it is")
	}
}
