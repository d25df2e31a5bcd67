// Package sealed encrypts mail for its reader at delivery (PGP/MIME, RFC 3156), so that whoever keeps the
// mailbox cannot read it: any mail program that knows OpenPGP can.
//
// What was sent is encrypted whole, header and body, as one MIME part whose header also says what the message's
// did ("protected headers", as Thunderbird, mutt and others show them). Outside stays what delivers and answers
// a message and puts it in its place: From, Reply-To, To, Cc, Date, Message-ID, In-Reply-To and References, and
// the fields that say how mailing lists are left. The subject is not among them.
//
// It also publishes people's keys: in a Web Key Directory (WKD), and in the header of what they send (Autocrypt).
package sealed

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"cairn/services/mail/message"

	"github.com/ProtonMail/go-crypto/openpgp"
	"github.com/ProtonMail/go-crypto/openpgp/armor"
	"github.com/ProtonMail/go-crypto/openpgp/packet"
)

// ErrNoKey says that none of somebody's keys can be encrypted to: there is none, or they have expired, were
// revoked, or are for signing only.
var ErrNoKey = errors.New("no OpenPGP key that can be encrypted to")

// outside are the fields that stay readable.
var outside = []string{"from", "reply-to", "to", "cc", "date", "message-id", "in-reply-to", "references", "list-id", "list-unsubscribe", "list-unsubscribe-post"}

// Seal encrypts a message to all of the armored keys that can be encrypted to. A message that is encrypted
// already is returned as it is. random is for the boundary between the parts.
func Seal(raw []byte, keys []string, random io.Reader, now time.Time) ([]byte, error) {
	to := readers(keys, now)
	if len(to) == 0 {
		return nil, ErrNoKey
	}
	if Encrypted(raw) {
		return raw, nil
	}
	var mark [18]byte
	if _, err := io.ReadFull(random, mark[:]); err != nil {
		return nil, fmt.Errorf("seal message: %w", err)
	}
	boundary := base64.RawURLEncoding.EncodeToString(mark[:])
	head, body := message.Split(raw)
	h := message.ParseHeader(head)
	var out bytes.Buffer
	for f := range h.Fields() {
		if slices.Contains(outside, strings.ToLower(f.Name)) {
			out.Write(ended(f.Raw))
		}
	}
	fmt.Fprintf(&out, "Subject: ...\r\nMIME-Version: 1.0\r\nContent-Type: multipart/encrypted; protocol=\"application/pgp-encrypted\";\r\n boundary=%q\r\n\r\n"+
		"This is a message that was encrypted when it was delivered (RFC 3156).\r\n\r\n"+
		"--%[1]s\r\nContent-Type: application/pgp-encrypted\r\nContent-Description: PGP/MIME version identification\r\n\r\nVersion: 1\r\n\r\n"+
		"--%[1]s\r\nContent-Type: application/octet-stream; name=\"encrypted.asc\"\r\nContent-Description: OpenPGP encrypted message\r\nContent-Disposition: inline; filename=\"encrypted.asc\"\r\n\r\n", boundary)
	if err := encrypt(&out, to, now, inner(h), body); err != nil {
		return nil, fmt.Errorf("seal message: %w", err)
	}
	fmt.Fprintf(&out, "\r\n--%s--\r\n", boundary)
	return out.Bytes(), nil
}

// readers are the keys that can be encrypted to.
func readers(keys []string, now time.Time) (list []*openpgp.Entity) {
	for _, armored := range keys {
		entities, err := openpgp.ReadArmoredKeyRing(strings.NewReader(armored))
		if err != nil {
			continue
		}
		for _, e := range entities {
			if _, ok := e.EncryptionKey(now); ok {
				list = append(list, e)
			}
		}
	}
	return list
}

// inner is the header of the part that is encrypted: that of the message, marked as what it is.
func inner(h message.Header) []byte {
	const mark = `protected-headers="v1"`
	var b bytes.Buffer
	typed := false
	for f := range h.Fields() {
		if !strings.EqualFold(f.Name, "Content-Type") || typed {
			b.Write(ended(f.Raw))
			continue
		}
		typed = true
		b.WriteString(strings.TrimRight(string(f.Raw), "; \t\r\n") + ";\r\n " + mark + "\r\n")
	}
	if !typed {
		b.WriteString("Content-Type: text/plain; charset=us-ascii; " + mark + "\r\n")
	}
	b.WriteString("\r\n")
	return b.Bytes()
}

// ended is a field with its line's end, which the last one of a message without a body may lack.
func ended(field []byte) []byte {
	if bytes.HasSuffix(field, []byte("\n")) {
		return field
	}
	return append(bytes.Clone(field), "\r\n"...)
}

// encrypt writes an armored OpenPGP message with CRLF line ends.
func encrypt(out io.Writer, to []*openpgp.Entity, now time.Time, parts ...[]byte) error {
	text, err := armor.Encode(&crlf{w: out}, "PGP MESSAGE", nil)
	if err != nil {
		return err
	}
	config := &packet.Config{DefaultCipher: packet.CipherAES256, Time: func() time.Time { return now }}
	plain, err := openpgp.Encrypt(text, to, nil, &openpgp.FileHints{IsBinary: true}, config)
	if err != nil {
		return err
	}
	for _, p := range parts {
		if _, err := plain.Write(p); err != nil {
			return err
		}
	}
	return errors.Join(plain.Close(), text.Close())
}

// crlf writes lines that end in LF with CRLF.
type crlf struct{ w io.Writer }

// Write implements io.Writer.
func (c *crlf) Write(p []byte) (int, error) {
	if _, err := c.w.Write(bytes.ReplaceAll(p, []byte("\n"), []byte("\r\n"))); err != nil {
		return 0, err
	}
	return len(p), nil
}

// Encrypted reports whether a message is encrypted already, all of it: PGP/MIME, S/MIME, or OpenPGP in its text.
func Encrypted(raw []byte) bool {
	head, body := message.Split(raw)
	kind, params := message.Params(message.ParseHeader(head).Get("Content-Type"))
	switch kind {
	case "multipart/encrypted":
		return strings.EqualFold(params["protocol"], "application/pgp-encrypted") && encryptedPart(message.Structure(raw))
	case "application/pkcs7-mime", "application/x-pkcs7-mime":
		return strings.EqualFold(params["smime-type"], "enveloped-data") || strings.EqualFold(params["smime-type"], "authenveloped-data")
	case "", "text/plain":
		return armored(body)
	}
	return false
}

// encryptedPart reports whether the parts of a message are those of RFC 3156 §4.
func encryptedPart(parts []message.Part) bool {
	return len(parts) == 3 && parts[1].Type == "application/pgp-encrypted" && len(parts[1].Body) < 100 &&
		armored(parts[2].Decoded(len(parts[2].Body)))
}

// armored reports whether a text is one encrypted message, and nothing before or behind it.
func armored(text []byte) bool {
	const begin, end = "-----BEGIN PGP MESSAGE-----", "-----END PGP MESSAGE-----"
	text = bytes.TrimSpace(text)
	return bytes.HasPrefix(text, []byte(begin)) && bytes.Index(text, []byte(end)) == len(text)-len(end)
}
