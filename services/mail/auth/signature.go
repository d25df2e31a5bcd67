package auth

import (
	"bytes"
	"context"
	"crypto/sha256"
	"slices"
	"strings"
	"time"
)

// Bounds of a field that holds a signature.
const (
	maxSignatureField = 64 << 10 // bytes
	maxSigned         = 1000     // names in h=
)

// A stamp is a field that holds a signature: DKIM-Signature, ARC-Message-Signature
// or ARC-Seal, which share their tags (RFC 6376 §3.5, RFC 8617 §4.1).
type stamp struct {
	tags      tagList
	domain    string
	selector  string
	algorithm string
	signature []byte
	unsigned  []byte // the field without the value of b=
	time      time.Time

	// Of those that cover the message:
	headRelaxed, bodyRelaxed bool
	names                    []string
	bodySum                  []byte
}

// parseStamp reads what all three kinds have in common.
func parseStamp(field []byte) (stamp, error) {
	var s stamp
	if len(field) > maxSignatureField {
		return s, failed(PermError, "signature of %d bytes", len(field))
	}
	colon := bytes.IndexByte(field, ':') + 1
	var err error
	if s.tags, err = parseTags(string(field[colon:])); err != nil {
		return s, failed(PermError, "signature: %v", err)
	}
	s.domain, s.selector = s.tags.get("d"), s.tags.get("s")
	s.algorithm = strings.ToLower(s.tags.get("a"))
	b, _ := s.tags.find("b")
	s.unsigned = slices.Concat(field[:colon+b.from], field[colon+b.to:])
	if s.signature, err = s.tags.base64("b"); err != nil || len(s.signature) == 0 {
		return s, failed(PermError, "signature has no b=")
	}
	if s.time, err = s.tags.time("t"); err != nil {
		return s, failed(PermError, "t= is %v", err)
	}
	for _, name := range []*string{&s.domain, &s.selector} {
		ascii, ok := hostname(*name)
		if !ok {
			return s, failed(PermError, "signature does not say of which domain and selector")
		}
		*name = ascii
	}
	switch s.algorithm {
	case "rsa-sha256", "ed25519-sha256":
		return s, nil
	case "rsa-sha1":
		return s, failed(PermError, "rsa-sha1 proves nothing") // RFC 8301 §3.1
	}
	return s, failed(PermError, "unknown algorithm")
}

// parseCover reads the tags of a signature over a message.
func (s *stamp) parseCover() error {
	head, body, _ := strings.Cut(s.tags.get("c"), "/")
	var ok bool
	if s.headRelaxed, ok = isRelaxed(head); !ok {
		return failed(PermError, "unknown c=")
	}
	if s.bodyRelaxed, ok = isRelaxed(body); !ok {
		return failed(PermError, "unknown c=")
	}
	var err error
	if s.bodySum, err = s.tags.base64("bh"); err != nil || len(s.bodySum) != sha256.Size {
		return failed(PermError, "bh= is no SHA-256")
	}
	s.names = s.tags.list("h")
	if len(s.names) > maxSigned {
		return failed(PermError, "%d names in h=", len(s.names))
	}
	if !slices.ContainsFunc(s.names, func(n string) bool { return strings.EqualFold(n, "from") }) {
		return failed(PermError, "From is not signed")
	}
	return nil
}

func isRelaxed(name string) (relaxed, ok bool) {
	switch name {
	case "relaxed":
		return true, true
	case "", "simple":
		return false, true
	}
	return false, false
}

// verify checks a signature over a message, with the key that its domain publishes.
func (s *stamp) verify(ctx context.Context, l *letter, ask *asker) (publicKey, error) {
	key, err := s.lookup(ctx, ask)
	if err != nil {
		return key, err
	}
	if sum := l.body.sum(s.bodyRelaxed); !bytes.Equal(sum[:], s.bodySum) {
		return key, failed(Fail, "body was changed")
	}
	signed := l.appendSigned(make([]byte, 0, 2048), s.names, s.headRelaxed)
	if !key.verifies(s.digest(signed), s.signature) {
		return key, failed(Fail, "header was changed, or the key")
	}
	return key, nil
}

func (s *stamp) lookup(ctx context.Context, ask *asker) (publicKey, error) {
	key, err := lookupKey(ctx, ask, s.selector, s.domain)
	if err == nil && algorithm(key.key) != s.algorithm {
		return key, failed(PermError, "key is not for %s", s.algorithm)
	}
	return key, err
}

// digest is that of what was signed: the fields in canonical form, and the
// signature's own field without its CRLF and the value of b= (RFC 6376 §3.7).
func (s *stamp) digest(signed []byte) [sha256.Size]byte {
	signed = appendField(signed, s.unsigned, s.headRelaxed)
	return sha256.Sum256(bytes.TrimSuffix(signed, crlf))
}
