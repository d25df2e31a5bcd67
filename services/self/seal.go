package self

import (
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"

	"golang.org/x/crypto/chacha20poly1305"
)

// errSeal says that something was not sealed by us, or for another purpose.
var errSeal = errors.New("not sealed here")

// A sealer keeps values in a browser: nobody without the key can read or make one
// (XChaCha20-Poly1305, nonces of 24 random bytes).
type sealer struct {
	aead cipher.AEAD
	mac  []byte
}

// newSealer returns the sealer for one purpose, whose values no other opens.
func newSealer(key [32]byte, purpose string) (*sealer, error) {
	sub, err := hkdf.Expand(sha256.New, key[:], "cairn self 1: "+purpose, 64)
	if err != nil {
		return nil, err
	}
	aead, err := chacha20poly1305.NewX(sub[:32])
	return &sealer{aead, sub[32:]}, err
}

// seal writes v for a cookie or a URL.
func (s *sealer) seal(v any) (string, error) {
	text, err := json.Marshal(v)
	if err != nil {
		return "", err
	}
	nonce := make([]byte, s.aead.NonceSize(), s.aead.NonceSize()+len(text)+s.aead.Overhead())
	rand.Read(nonce)
	return base64.RawURLEncoding.EncodeToString(s.aead.Seal(nonce, nonce, text, nil)), nil
}

// open is the inverse of seal, or errSeal.
func (s *sealer) open(sealed string, v any) error {
	data, err := base64.RawURLEncoding.Strict().DecodeString(sealed)
	if err != nil || len(data) < s.aead.NonceSize() {
		return errSeal
	}
	nonce, data := data[:s.aead.NonceSize()], data[s.aead.NonceSize():]
	text, err := s.aead.Open(nil, nonce, data, nil)
	if err != nil || json.Unmarshal(text, v) != nil {
		return errSeal
	}
	return nil
}

// tag returns what only we can make of text.
func (s *sealer) tag(text string) string {
	h := hmac.New(sha256.New, s.mac)
	h.Write([]byte(text))
	return base64.RawURLEncoding.EncodeToString(h.Sum(nil))
}
