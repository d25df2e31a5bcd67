package auth

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"
)

// canonicalBody is RFC 6376 §3.4.3 and §3.4.4 as they are written.
func canonicalBody(body string, relaxed bool) string {
	body = strings.ReplaceAll(strings.ReplaceAll(body, "\r\n", "\n"), "\n", "\r\n")
	if body != "" && !strings.HasSuffix(body, "\r\n") {
		body += "\r\n"
	}
	if relaxed {
		body = regexp.MustCompile(`[ \t]+\r\n`).ReplaceAllString(body, "\r\n")
		body = regexp.MustCompile(`[ \t]+`).ReplaceAllString(body, " ")
	}
	for strings.HasSuffix(body, "\r\n\r\n") {
		body = body[:len(body)-2]
	}
	if body == "\r\n" || body == "" {
		if relaxed {
			return ""
		}
		return "\r\n"
	}
	return body
}

func checkBody(t *testing.T, body string) {
	t.Helper()
	for _, relaxed := range []bool{false, true} {
		want := sha256.Sum256([]byte(canonicalBody(body, relaxed)))
		if got := newBodyHash([]byte(body)).sum(relaxed); got != want {
			t.Errorf("relaxed %v: other digest of %q than of %q", relaxed, body, canonicalBody(body, relaxed))
		}
	}
}

func TestBodies(t *testing.T) {
	for _, s := range []string{
		"", "\r\n", "\n", "\r\n\r\n", " \r\n", " ", "\t\r\n \r\n", "a", "a\r\n", "a\n", "a\r\n\r\n\r\n", "a \r\n", "a\t b  c\r\n",
		"\r\na\r\n", "\r\n\r\na\r\n\r\nb\r\n\r\n", "\n\r\na", " a", "  a", "\ta\r\n", "a\r\n \r\nb", "a\r\n\n\r\nb", "a\rb\r\n", "\r", "\r\r\n", "a\r", "a \r", " \r \r\n",
	} {
		checkBody(t, s)
	}
	random := rand.New(rand.NewPCG(1, 2))
	for range 20_000 {
		b := make([]byte, random.IntN(24))
		for i := range b {
			b[i] = "a  \t\r\n\n."[random.IntN(8)]
		}
		checkBody(t, strings.ReplaceAll(string(b), ".", "\r\n"))
	}
}

func TestRelaxedField(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"A: X\r\n", "a:X\r\n"}, // RFC 6376 §3.4.5
		{"B : Y\t\r\n\tZ  \r\n", "b:Y Z\r\n"},
		{"Subject:\r\n", "subject:\r\n"},
		{"Subject: \r\n \r\n", "subject:\r\n"},
		{"SUBJECT:a:b\r\n", "subject:a:b\r\n"},
		{"x: a\n b", "x:a b\r\n"},
		{"x: Grüße\t \r\n", "x:Grüße\r\n"},
	} {
		if got := string(appendRelaxed(nil, []byte(c.in))); got != c.want {
			t.Errorf("%q: got %q, want %q", c.in, got, c.want)
		}
	}
}

func BenchmarkBodyHash(b *testing.B) {
	text := bytes.Repeat([]byte("The quick brown fox jumps over the lazy dog and goes on to the next line\r\n"), 1000)
	wide := bytes.Repeat([]byte("The  quick brown fox \tjumps over the lazy dog and goes on to the next   \r\n"), 1000)
	base64 := bytes.Repeat([]byte(strings.Repeat("QUJD", 19)+"\r\n"), 1000)
	for name, body := range map[string][]byte{"text": text, "wide": wide, "base64": base64} {
		for _, relaxed := range []bool{false, true} {
			b.Run(fmt.Sprint(name, "/relaxed=", relaxed), func(b *testing.B) {
				b.SetBytes(int64(len(body)))
				b.ReportAllocs()
				for b.Loop() {
					newBodyHash(body).sum(relaxed)
				}
			})
		}
	}
}
