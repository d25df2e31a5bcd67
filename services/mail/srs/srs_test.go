package srs

import (
	"errors"
	"strings"
	"testing"
	"time"
)

func local(address string) string { return address[:strings.LastIndexByte(address, '@')] }

func forward(t *testing.T, r *Rewriter, sender string) string {
	t.Helper()
	a, err := r.Forward(sender)
	if err != nil {
		t.Fatalf("forward %q: %v", sender, err)
	}
	return a
}

func TestThereAndBack(t *testing.T) {
	r := &Rewriter{Domain: "example.org", Key: []byte("key")}
	for _, sender := range []string{"bob@example.net", "Bob+x=y@Example.NET", `od"d @one@example.net`, "jörg@example.net", "SRS@example.net", "srs0@example.net"} {
		a := forward(t, r, sender)
		if !strings.HasPrefix(a, "SRS0=") || !strings.HasSuffix(a, "@example.org") {
			t.Errorf("forward %q: got %q", sender, a)
		}
		if got, err := r.Reverse(local(a)); got != sender || err != nil {
			t.Errorf("reverse %q: got %q, %v, want %q", a, got, err, sender)
		}
		if got, err := r.Reverse(strings.ToLower(local(a))); !strings.EqualFold(got, sender) || err != nil {
			t.Errorf("reverse %q in lower case: got %q, %v, want %q", a, got, err, sender)
		}
	}
	if a := forward(t, r, ""); a != "" {
		t.Errorf("forward the empty sender: got %q", a)
	}
	for _, bad := range []string{"bob", "@example.net", "bob@"} {
		if a, err := r.Forward(bad); err == nil {
			t.Errorf("forward %q: got %q, want an error", bad, a)
		}
	}
}

// TestChain: however many servers pass a message on, a report goes to the first of them and from there
// to the sender.
func TestChain(t *testing.T) {
	first := &Rewriter{Domain: "first.test", Key: []byte("1")}
	second := &Rewriter{Domain: "second.test", Key: []byte("2")}
	third := &Rewriter{Domain: "third.test", Key: []byte("3")}
	a := forward(t, first, "bob@example.net")
	b := forward(t, second, a)
	c := forward(t, third, b)
	if len(c) > len(b)+2 {
		t.Errorf("it grows with each server: %q, %q", b, c)
	}
	for _, step := range []struct {
		r    *Rewriter
		from string
	}{{second, b}, {third, c}} {
		back, err := step.r.Reverse(local(step.from))
		if back != a || err != nil {
			t.Errorf("reverse %q: got %q, %v, want %q", step.from, back, err, a)
		}
	}
	if got, err := first.Reverse(local(a)); got != "bob@example.net" || err != nil {
		t.Errorf("reverse %q: got %q, %v", a, got, err)
	}
}

func TestRefused(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	r := &Rewriter{Domain: "example.org", Key: []byte("key"), Now: func() time.Time { return now }}
	good := local(forward(t, r, "bob@example.net"))
	other := &Rewriter{Domain: "example.org", Key: []byte("another key"), Now: r.Now}
	for name, l := range map[string]string{
		"no address of ours": "bob", "nothing": "", "a tag alone": "SRS0=", "no parts": "SRS0=abc", "empty parts": "SRS1=====",
		"another key": local(forward(t, other, "bob@example.net")), "another sender": good + "y", "another kind": "SRS1" + good[4:],
	} {
		if got, err := r.Reverse(l); !errors.Is(err, ErrNotOurs) {
			t.Errorf("%s, %q: got %q, %v, want ErrNotOurs", name, l, got, err)
		}
	}
	now = now.Add(maxAge * 24 * time.Hour)
	if _, err := r.Reverse(good); err != nil {
		t.Errorf("after three weeks: %v", err)
	}
	now = now.Add(24 * time.Hour)
	if _, err := r.Reverse(good); !errors.Is(err, ErrExpired) {
		t.Errorf("after more: got %v, want ErrExpired", err)
	}
}

func FuzzReverse(f *testing.F) {
	r := &Rewriter{Domain: "example.org", Key: []byte("key")}
	for _, s := range []string{"bob@example.net", "SRS0=a=b=c=d@x.test", "SRS1=a=b==c=d=e=f@x.test"} {
		a, _ := r.Forward(s)
		f.Add(s)
		f.Add(a)
	}
	f.Fuzz(func(t *testing.T, s string) {
		r.Reverse(s)
		a, err := r.Forward(s)
		if err != nil || s == "" {
			return
		}
		back, err := r.Reverse(local(a))
		if err != nil {
			t.Fatalf("%q became %q, which does not come back: %v", s, a, err)
		}
		if strings.HasPrefix(a, "SRS0") && back != s {
			t.Fatalf("%q became %q and came back as %q", s, a, back)
		}
	})
}
