// Package srs rewrites the senders of forwarded mail, so that it passes SPF at the next server and
// reports find their way back (the Sender Rewriting Scheme, as libsrs2 and postsrsd have it):
//
//	r := srs.Rewriter{Domain: "example.org", Key: key}
//	r.Forward("bob@example.net")      // SRS0=hash=day=example.net=bob@example.org
//	r.Reverse("SRS0=hash=day=example.net=bob")   // bob@example.net
//
// What comes rewritten already by somebody else is not made longer with each server on its way: it
// becomes an address that leads back to the first who has rewritten it (SRS1).
//
// Hash is eight letters and digits of an HMAC-SHA256, so that nobody makes us send what they like where
// they like; day keeps an address that somebody has collected from being of use for long.
package srs

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base32"
	"errors"
	"fmt"
	"strings"
	"time"
)

// A Rewriter makes addresses of a domain of ours out of other people's, and back. Safe for
// concurrent use.
type Rewriter struct {
	Domain string           // a domain of ours
	Key    []byte           // what the addresses are signed with
	Now    func() time.Time // the clock; nil: time.Now
}

// Why an address is not one of ours.
var (
	ErrNotOurs = errors.New("not an address that this server has made")
	ErrExpired = errors.New("an address that this server has made more than three weeks ago")
)

// maxAge is how many days an address is good for: longer than anybody tries to deliver.
const maxAge = 21

// coding has letters and digits that survive where case does not.
var coding = base32.StdEncoding.WithPadding(base32.NoPadding)

// days are counted modulo 1024, which is two digits.
const days = 1 << 10

// Forward returns the address of ours that stands for sender when a message of his is passed on. The
// empty sender stays empty.
func (r *Rewriter) Forward(sender string) (string, error) {
	if sender == "" {
		return "", nil
	}
	at := strings.LastIndexByte(sender, '@')
	if at <= 0 || at == len(sender)-1 || strings.Contains(sender[at:], "=") {
		return "", fmt.Errorf("rewrite %.100q: not an address", sender)
	}
	local, domain := sender[:at], sender[at+1:]
	if rest, ok := cutTag(local, "SRS1"); ok {
		_, signed, _ := strings.Cut(rest, "=") // without the other's hash
		if host, inner, _ := strings.Cut(signed, "="); host != "" && inner != "" {
			return r.address("SRS1", signed), nil
		}
	}
	if _, ok := cutTag(local, "SRS0"); ok {
		return r.address("SRS1", domain+"="+local[len("SRS0"):]), nil
	}
	return r.address("SRS0", r.day()+"="+domain+"="+local), nil
}

// Reverse returns the sender for whom an address of ours stands, given its local part: ErrNotOurs for
// any other, ErrExpired for an old one.
func (r *Rewriter) Reverse(local string) (string, error) {
	if rest, ok := cutTag(local, "SRS0"); ok {
		signed, err := r.verify("SRS0", rest)
		if err != nil {
			return "", err
		}
		parts := strings.SplitN(signed, "=", 3)
		if len(parts) != 3 || parts[1] == "" || parts[2] == "" {
			return "", ErrNotOurs
		}
		if !r.recent(parts[0]) {
			return "", ErrExpired
		}
		return parts[2] + "@" + parts[1], nil
	}
	if rest, ok := cutTag(local, "SRS1"); ok {
		signed, err := r.verify("SRS1", rest)
		if err != nil {
			return "", err
		}
		host, inner, ok := strings.Cut(signed, "=")
		if !ok || host == "" || inner == "" {
			return "", ErrNotOurs
		}
		return "SRS0" + inner + "@" + host, nil
	}
	return "", ErrNotOurs
}

// Is reports whether a local part looks like one of an address that some server has made.
func Is(local string) bool {
	_, zero := cutTag(local, "SRS0")
	_, one := cutTag(local, "SRS1")
	return zero || one
}

// cutTag returns what stands behind SRS0 or SRS1 and its separator, which others may have as - or +.
func cutTag(local, tag string) (rest string, ok bool) {
	if len(local) < len(tag)+2 || !strings.EqualFold(local[:len(tag)], tag) || !strings.ContainsRune("=-+", rune(local[len(tag)])) {
		return "", false
	}
	return local[len(tag)+1:], true
}

func (r *Rewriter) address(tag, signed string) string {
	return tag + "=" + r.hash(tag, signed) + "=" + signed + "@" + r.Domain
}

func (r *Rewriter) verify(tag, rest string) (signed string, err error) {
	hash, signed, ok := strings.Cut(rest, "=")
	if !ok || !hmac.Equal([]byte(strings.ToLower(hash)), []byte(r.hash(tag, signed))) {
		return "", ErrNotOurs
	}
	return signed, nil
}

// hash is over lower case, because addresses come back in any.
func (r *Rewriter) hash(tag, signed string) string {
	m := hmac.New(sha256.New, r.Key)
	m.Write([]byte(tag + "=" + strings.ToLower(signed)))
	return strings.ToLower(coding.EncodeToString(m.Sum(nil)[:5]))
}

func (r *Rewriter) today() int {
	now := time.Now
	if r.Now != nil {
		now = r.Now
	}
	return int(now().Unix()/(24*3600)) % days
}

const digits = "abcdefghijklmnopqrstuvwxyz234567"

func (r *Rewriter) day() string {
	n := r.today()
	return string([]byte{digits[n>>5], digits[n&31]})
}

// recent reports whether a day is today or one of the last three weeks.
func (r *Rewriter) recent(day string) bool {
	day = strings.ToLower(day)
	if len(day) != 2 {
		return false
	}
	high, low := strings.IndexByte(digits, day[0]), strings.IndexByte(digits, day[1])
	return high >= 0 && low >= 0 && (r.today()-(high<<5|low)+days)%days <= maxAge
}
