package client

import (
	"fmt"
	"io/fs"
	"strings"
	"unicode/utf8"
)

// maxAddress is the longest address in bytes that is taken: twice what RFC 5321 §4.5.3.1 allows.
const maxAddress = 640

// CheckAddress says whether an address, without brackets and without quotes in its local part, can
// be sent in an envelope.
func CheckAddress(a string) error {
	local, domain := cut(a)
	reason := ""
	switch {
	case local == "" || domain == "":
		reason = "is not local@domain"
	case len(a) > maxAddress:
		reason = "is too long"
	case !utf8.ValidString(a) || strings.ContainsFunc(a, control):
		reason = "has bytes that no address has"
	case strings.ContainsAny(domain, " <>\"\\(),;"):
		reason = "has a domain that is none"
	}
	if reason == "" {
		return nil
	}
	return fmt.Errorf("address %.100q %s: %w", a, reason, fs.ErrInvalid)
}

func control(r rune) bool { return r < ' ' || r == 0x7f || r >= 0x80 && r < 0xa0 }

// cut returns what stands before and behind the last @.
func cut(a string) (local, domain string) {
	i := strings.LastIndexByte(a, '@')
	if i < 0 {
		return a, ""
	}
	return a[:i], a[i+1:]
}

// path returns an address as it stands between the brackets: with the local part in quotes where it
// needs them (RFC 5321 §4.1.2).
func path(a string) string {
	local, domain := cut(a)
	if domain == "" || dotString(local) {
		return a
	}
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(local) + `"@` + domain
}

func dotString(s string) bool {
	return s != "" && s[0] != '.' && s[len(s)-1] != '.' && !strings.Contains(s, "..") &&
		!strings.ContainsAny(s, " ()<>[]:;@\\,\"")
}

// xtext encodes a parameter (RFC 3461 §4).
func xtext(s string) string {
	var b strings.Builder
	for _, c := range []byte(s) {
		if c < '!' || c > '~' || c == '+' || c == '=' {
			fmt.Fprintf(&b, "+%02X", c)
		} else {
			b.WriteByte(c)
		}
	}
	return b.String()
}

// EncodeOriginal encodes "type;address" as ORCPT has it (RFC 3461 §4.2). An address that is not
// ASCII becomes one of the type utf-8, in its form for everywhere (RFC 6533 §3).
func EncodeOriginal(o string) string {
	kind, address, ok := strings.Cut(o, ";")
	if !ok {
		kind, address = "rfc822", o
	}
	if !ascii(address) {
		kind = "utf-8"
	}
	if !strings.EqualFold(kind, "utf-8") {
		return kind + ";" + xtext(address)
	}
	var b strings.Builder
	for _, r := range address {
		if r < '!' || r > '~' || strings.ContainsRune(`\+=`, r) {
			fmt.Fprintf(&b, `\x{%X}`, r)
		} else {
			b.WriteRune(r)
		}
	}
	return kind + ";" + b.String()
}

func ascii(s string) bool {
	for _, c := range []byte(s) {
		if c >= utf8.RuneSelf {
			return false
		}
	}
	return true
}
