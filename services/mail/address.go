package mail

import (
	"strings"

	"golang.org/x/net/idna"
	"golang.org/x/text/unicode/norm"
)

const (
	maxAddress  = 254 // bytes (RFC 5321 §4.5.3.1.3, without the angle brackets)
	noCharacter = "\x00\r\n"
)

// SplitAddress returns both parts of an address in the form in which they are compared:
// lower case, NFC, the domain in ASCII (RFC 5890). A name alone has no domain.
func SplitAddress(address string) (local, domain string, err error) {
	i := strings.LastIndexByte(address, '@')
	if i < 0 {
		i = len(address)
	}
	local = strings.ToLower(norm.NFC.String(unquote(address[:i])))
	if local == "" || len(address) > maxAddress || strings.ContainsAny(address, noCharacter) || i == len(address)-1 {
		return "", "", &UnknownError{address}
	}
	if i == len(address) {
		return local, "", nil
	}
	domain = strings.TrimSuffix(strings.ToLower(address[i+1:]), ".")
	if strings.HasPrefix(domain, "[") {
		return local, domain, nil
	}
	name, err := idna.Lookup.ToASCII(domain)
	if err != nil && strings.Trim(domain, "abcdefghijklmnopqrstuvwxyz0123456789-_.") == "" {
		name, err = domain, nil // there are such, with an underscore or with hyphens where no new name has them
	}
	if err != nil {
		return "", "", &UnknownError{address}
	}
	return local, name, nil
}

// unquoted returns an address as the queue has it: without the quotes of its local part.
func unquoted(address string) string {
	i := strings.LastIndexByte(address, '@')
	if i < 0 {
		return unquote(address)
	}
	return unquote(address[:i]) + address[i:]
}

// unquote takes the quotes off a local part (RFC 5321 §4.1.2).
func unquote(local string) string {
	if len(local) < 2 || local[0] != '"' || local[len(local)-1] != '"' {
		return local
	}
	inner := local[1 : len(local)-1]
	var plain strings.Builder
	for i := 0; i < len(inner); i++ {
		if inner[i] == '\\' && i+1 < len(inner) {
			i++
		}
		plain.WriteByte(inner[i])
	}
	return plain.String()
}
