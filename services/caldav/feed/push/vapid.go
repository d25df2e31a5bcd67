package push

import (
	"crypto"
	"crypto/sha256"
	"encoding/asn1"
	"encoding/base64"
	"encoding/json"
	"math/big"
	"net/url"
	"time"
)

// validFor is how long a push service may take us for whom we say we are with one
// signature (RFC 8292 §2: at most 24 hours).
const validFor = 12 * time.Hour

// authorization signs who we are for a push service (RFC 8292 §3).
func (s *Service) authorization(endpoint string) (string, error) {
	u, err := url.Parse(endpoint)
	if err != nil {
		return "", err
	}
	claims, err := json.Marshal(map[string]any{
		"aud": u.Scheme + "://" + u.Host,
		"exp": s.Now().Add(validFor).Unix(),
		"sub": s.Contact,
	})
	if err != nil {
		return "", err
	}
	enc := base64.RawURLEncoding
	token := enc.EncodeToString([]byte(`{"typ":"JWT","alg":"ES256"}`)) + "." + enc.EncodeToString(claims)
	sum := sha256.Sum256([]byte(token))
	der, err := s.signer().Sign(nil, sum[:], crypto.SHA256) // RFC 6979: needs no random
	if err != nil {
		return "", err
	}
	var sig struct{ R, S *big.Int }
	if _, err := asn1.Unmarshal(der, &sig); err != nil {
		return "", err
	}
	raw := make([]byte, 64) // RFC 7518 §3.4
	sig.R.FillBytes(raw[:32])
	sig.S.FillBytes(raw[32:])
	return "vapid t=" + token + "." + enc.EncodeToString(raw) + ", k=" + s.PublicKey(), nil
}
