package accounts

import (
	"crypto/rand"
	"encoding/base32"
	"errors"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/secure/precis"
)

// Bounds of a chosen password.
const (
	MinPassword = 8       // characters
	MaxPassword = 1 << 10 // bytes
)

// ErrPassword is what is wrong with a password that cannot be set.
var ErrPassword = errors.New("a password has 8 characters or more, 1024 bytes of UTF-8 at most, and no control characters")

// normalise applies the OpaqueString profile of PRECIS (RFC 8265 §4.2), so that
// the same password typed on another keyboard is the same bytes: spaces become
// U+0020 and the rest NFC; case and width stay.
func normalise(password string) (string, error) {
	if len(password) > MaxPassword || !utf8.ValidString(password) {
		return "", ErrPassword
	}
	s, err := precis.OpaqueString.String(password)
	if err != nil {
		return "", ErrPassword
	}
	return s, nil
}

// chosen is normalise for a password that is being set.
func chosen(password string) (string, error) {
	s, err := normalise(password)
	if err == nil && utf8.RuneCountInString(s) < MinPassword {
		err = ErrPassword
	}
	return s, err
}

// GeneratePassword returns 130 random bits as five groups of letters and digits,
// fit to be read aloud and typed.
func GeneratePassword() string {
	var raw [17]byte
	rand.Read(raw[:])
	s := strings.ToLower(base32.StdEncoding.EncodeToString(raw[:]))[:26]
	return s[:5] + "-" + s[5:10] + "-" + s[10:15] + "-" + s[15:20] + "-" + s[20:]
}
