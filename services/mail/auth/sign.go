package auth

import (
	"bytes"
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// A Key signs for a domain; <Selector>._domainkey.<domain> publishes its KeyRecord.
type Key struct {
	Selector string
	Key      crypto.Signer // of *rsa.PublicKey or ed25519.PublicKey
}

// A Signer signs the messages of a domain.
type Signer struct {
	Domain string // in ASCII
	Keys   []Key
	Now    func() time.Time // nil: time.Now
}

// guarded are the fields that a signature covers once more often than they are there,
// so that none can be added: those that people see, that say how to read the body, or that stand
// only once in a message (RFC 6376 §8.15, RFC 5322 §3.6).
var guarded = []string{
	"from", "reply-to", "subject", "date", "to", "cc", "message-id", "in-reply-to", "references",
	"mime-version", "content-type", "content-transfer-encoding",
}

// covered are further fields that are signed where they are there (RFC 6376 §5.4.1).
// A mailing list may add its own.
var covered = []string{
	"sender", "resent-date", "resent-from", "resent-to", "resent-cc", "content-id", "content-description",
	"list-id", "list-help", "list-unsubscribe", "list-unsubscribe-post", "list-subscribe", "list-post", "list-owner", "list-archive",
	"autocrypt",
}

// Sign returns the DKIM-Signature fields of a message, one for each key, to be put
// in front of it (RFC 6376 §5; RFC 8463 §3 has both kinds side by side). raw is the message as it
// will leave: what is changed in it afterwards breaks them.
func (s *Signer) Sign(raw []byte) ([]byte, error) {
	l := newLetter(raw)
	names, err := l.signable()
	if err != nil {
		return nil, err
	}
	var out []byte
	for _, k := range s.Keys {
		field, err := s.cover(l, k, "DKIM-Signature: v=1;", names)
		if err != nil {
			return nil, err
		}
		out = append(out, field...)
	}
	return out, nil
}

// signable returns the h= for a message.
func (l *letter) signable() ([]string, error) {
	if !l.whole {
		return nil, fmt.Errorf("sign a message: its header is too long")
	}
	if continuation(l.header.Raw()) > 0 {
		return nil, fmt.Errorf("sign a message: it begins with white space")
	}
	if len(l.named["from"]) == 0 {
		return nil, fmt.Errorf("sign a message: it has no From")
	}
	var names []string
	for _, name := range guarded {
		for range len(l.named[name]) + 1 {
			names = append(names, name)
		}
	}
	for _, name := range covered {
		for range l.named[name] {
			names = append(names, name)
		}
	}
	return names, nil
}

// cover makes a field that signs a message; start is its name and first tags.
func (s *Signer) cover(l *letter, k Key, start string, names []string) ([]byte, error) {
	if len(names) > maxSigned {
		return nil, fmt.Errorf("sign a message: it has too many fields of one name")
	}
	sum := l.body.sum(true)
	head := s.head(start, k) + " c=relaxed/relaxed;" + fold(" h="+strings.Join(names, ":")+";", ':') +
		"\r\n\tbh=" + base64.StdEncoding.EncodeToString(sum[:]) + ";"
	return k.complete(l.appendSigned(nil, names, true), head)
}

// head writes the tags that every signature has.
func (s *Signer) head(start string, k Key) string {
	now := time.Now
	if s.Now != nil {
		now = s.Now
	}
	return start + " a=" + algorithm(k.Key.Public()) + "; d=" + s.Domain + ";\r\n\ts=" + k.Selector +
		"; t=" + strconv.FormatInt(now().Unix(), 10) + ";"
}

// complete signs what is in signed, and the field that begins with head, and
// returns that field with its b= and CRLF.
func (k Key) complete(signed []byte, head string) ([]byte, error) {
	head += "\r\n\tb="
	signed = bytes.TrimSuffix(appendRelaxed(signed, []byte(head)), crlf)
	sum := sha256.Sum256(signed)
	var opts crypto.SignerOpts = crypto.SHA256
	switch pub := k.Key.Public().(type) {
	case ed25519.PublicKey:
		opts = crypto.Hash(0) // it signs the digest as a message (RFC 8463 §3)
	case *rsa.PublicKey:
		if pub.N.BitLen() < minRSA {
			return nil, fmt.Errorf("sign with selector %s: RSA key of %d bits", k.Selector, pub.N.BitLen())
		}
	default:
		return nil, fmt.Errorf("sign with selector %s: key is of an unknown kind", k.Selector)
	}
	sig, err := k.Key.Sign(rand.Reader, sum[:], opts)
	if err != nil {
		return nil, fmt.Errorf("sign with selector %s: %w", k.Selector, err)
	}
	b64 := base64.StdEncoding.EncodeToString(sig)
	out := []byte(head)
	for len(b64) > lineWidth {
		out = append(append(out, b64[:lineWidth]...), "\r\n\t "...)
		b64 = b64[lineWidth:]
	}
	return append(append(out, b64...), crlf...), nil
}

// lineWidth is where the lines of a signature are folded, in bytes.
const lineWidth = 72

// fold breaks a line behind some of its separators.
func fold(s string, sep byte) string {
	var b strings.Builder
	b.WriteString("\r\n\t")
	s = s[1:]
	for len(s) > lineWidth {
		i := strings.LastIndexByte(s[:lineWidth], sep) + 1
		if i == 0 {
			break
		}
		b.WriteString(s[:i] + "\r\n\t ")
		s = s[i:]
	}
	b.WriteString(s)
	return b.String()
}
