package accounts

import (
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
)

// scramKeys is what a server keeps of an app password so that SCRAM-SHA-256 (RFC
// 5802, RFC 7677) and plain log-ins both work, written as RFC 5803 says:
// SCRAM-SHA-256$<iterations>:<salt>$<StoredKey>:<ServerKey>.
//
// A SCRAM server names salt and iterations before it can know which of a user's
// app passwords the client holds. So all of one user's share them, and the
// proof is compared with each StoredKey. That gives nothing away: these
// passwords are random, so a table made for one salt helps nobody. For the same
// reason the iterations are no more than the 4096 that RFC 7677 §4 asks for:
// 130 random bits cannot be guessed at any speed.
type scramKeys struct {
	iterations int
	salt       []byte
	stored     []byte
	server     []byte
}

const scramIterations = 4096

var errScram = errors.New("not SCRAM-SHA-256 keys such as SCRAM-SHA-256$4096:…$…:… (RFC 5803) with 4096 iterations")

func parseScram(s string) (scramKeys, error) {
	k := scramKeys{iterations: scramIterations}
	var err [3]error
	rest, ok1 := strings.CutPrefix(s, fmt.Sprintf("SCRAM-SHA-256$%d:", scramIterations))
	salt, rest, ok2 := strings.Cut(rest, "$")
	stored, server, ok3 := strings.Cut(rest, ":")
	b64 := base64.StdEncoding.Strict()
	k.salt, err[0] = b64.DecodeString(salt)
	k.stored, err[1] = b64.DecodeString(stored)
	k.server, err[2] = b64.DecodeString(server)
	if !ok1 || !ok2 || !ok3 || errors.Join(err[:]...) != nil || k.String() != s ||
		len(k.salt) < 8 || len(k.salt) > 64 || len(k.stored) != sha256.Size || len(k.server) != sha256.Size {
		return k, errScram
	}
	return k, nil
}

func (k scramKeys) String() string {
	b64 := base64.StdEncoding
	return fmt.Sprintf("SCRAM-SHA-256$%d:%s$%s:%s", k.iterations,
		b64.EncodeToString(k.salt), b64.EncodeToString(k.stored), b64.EncodeToString(k.server))
}

// newScram derives the keys of a password (RFC 5802 §3).
func newScram(password string, salt []byte) (scramKeys, error) {
	k := scramKeys{iterations: scramIterations, salt: salt}
	salted, err := pbkdf2.Key(sha256.New, password, salt, k.iterations, sha256.Size)
	if err != nil {
		return k, err
	}
	client := mac(salted, "Client Key")
	sum := sha256.Sum256(client)
	k.stored, k.server = sum[:], mac(salted, "Server Key")
	return k, nil
}

// isAppPassword reports whether password is one of r's. It takes the time of
// one derivation however many there are, none included.
func (r *record) isAppPassword(password string) (bool, error) {
	salt, err := r.scramSalt()
	if err != nil {
		return false, err
	}
	got, err := newScram(password, salt)
	if err != nil {
		return false, err
	}
	found := 0
	for _, p := range r.AppPasswords {
		want, err := parseScram(p.Keys)
		if err != nil {
			return false, err
		}
		found |= subtle.ConstantTimeCompare(got.stored, want.stored)
	}
	return found == 1, nil
}

// scramSalt is the salt that all of r's app passwords share, or a new one.
func (r *record) scramSalt() ([]byte, error) {
	if len(r.AppPasswords) > 0 {
		k, err := parseScram(r.AppPasswords[0].Keys)
		return k.salt, err
	}
	salt := make([]byte, 16)
	rand.Read(salt)
	return salt, nil
}

func mac(key []byte, text string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(text))
	return h.Sum(nil)
}
