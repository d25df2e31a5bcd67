package push

import (
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"sync"
)

var curve = ecdh.P256()

// key returns a key for one purpose.
func (s *Service) key(purpose string) []byte {
	k, err := hkdf.Key(sha256.New, s.Key[:], nil, "push: "+purpose, 32)
	if err != nil {
		panic(err) // 32 bytes can always be had
	}
	return k
}

// signer is the key pair by which push services know us (RFC 8292 §3). It follows from
// Key.
func (s *Service) signer() *ecdsa.PrivateKey {
	s.once.Do(func() {
		s.vapid = sync.OnceValue(func() *ecdsa.PrivateKey {
			for n := 0; ; n++ {
				// All but one in 2^32 numbers will do.
				k, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), s.key(fmt.Sprint("signer ", n)))
				if err == nil {
					return k
				}
			}
		})
	})
	return s.vapid()
}

// PublicKey returns the key that push services know us by, as the property
// vapid-public-key has it: uncompressed, in base64url.
func (s *Service) PublicKey() string {
	b, err := s.signer().PublicKey.Bytes()
	if err != nil {
		panic(err) // it is on the curve
	}
	return base64.RawURLEncoding.EncodeToString(b)
}
