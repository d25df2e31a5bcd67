package setup

import (
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base64"
	"errors"
	"io"
	"net"
	"slices"
	"strings"

	"golang.org/x/crypto/ssh"
)

// knownKeys returns the keys that a known_hosts file has for host:port (sshd(8), SSH_KNOWN_HOSTS
// FILE FORMAT), those that it revokes left out. Keys of authorities are passed over.
func knownKeys(file []byte, address string) ([]ssh.PublicKey, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	name := strings.ToLower(host)
	if port != "22" {
		name = "[" + name + "]:" + port
	}
	var keys, revoked []ssh.PublicKey
	for {
		marker, hosts, key, _, rest, err := ssh.ParseKnownHosts(file)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		file = rest
		switch {
		case marker == "revoked":
			revoked = append(revoked, key)
		case marker == "" && namesHost(hosts, name):
			keys = append(keys, key)
		}
	}
	return slices.DeleteFunc(keys, func(k ssh.PublicKey) bool { return slices.ContainsFunc(revoked, sameAs(k)) }), nil
}

// namesHost reports whether patterns name a host: one does, and none that begins with an
// exclamation mark.
func namesHost(patterns []string, name string) bool {
	named := false
	for _, p := range patterns {
		p, not := strings.CutPrefix(p, "!")
		switch matches := hashedHost(p, name) || matchHost(strings.ToLower(p), name); {
		case matches && not:
			return false
		case matches:
			named = true
		}
	}
	return named
}

// matchHost reports whether name is as pattern says, in which ? stands for one
// byte and * for any number.
func matchHost(pattern, name string) bool {
	literal, rest, wild := strings.Cut(pattern, "*")
	if len(name) < len(literal) || !matchBytes(literal, name[:len(literal)]) {
		return false
	}
	name = name[len(literal):]
	if !wild {
		return name == ""
	}
	// The shortest way past each asterisk is enough, up to the last.
	for strings.Contains(rest, "*") {
		literal, after, _ := strings.Cut(rest, "*")
		at := indexBytes(literal, name)
		if at < 0 {
			return false
		}
		name, rest = name[at+len(literal):], after
	}
	return len(name) >= len(rest) && matchBytes(rest, name[len(name)-len(rest):])
}

// indexBytes is where in name what literal stands for is first, -1 for nowhere.
func indexBytes(literal, name string) int {
	for i := 0; i+len(literal) <= len(name); i++ {
		if matchBytes(literal, name[i:i+len(literal)]) {
			return i
		}
	}
	return -1
}

// matchBytes compares two texts of one length, in the first of which ? stands for any byte.
func matchBytes(literal, text string) bool {
	for i := range len(literal) {
		if literal[i] != '?' && literal[i] != text[i] {
			return false
		}
	}
	return true
}

// hashedHost reports whether text is the hash of a name: |1|SALT|HMAC-SHA1, both in base64.
func hashedHost(text, name string) bool {
	parts := strings.Split(text, "|")
	if len(parts) != 4 || parts[0] != "" || parts[1] != "1" {
		return false
	}
	salt, err := base64.StdEncoding.DecodeString(parts[2])
	if err != nil {
		return false
	}
	want, err := base64.StdEncoding.DecodeString(parts[3])
	h := hmac.New(sha1.New, salt)
	h.Write([]byte(name))
	return err == nil && hmac.Equal(h.Sum(nil), want)
}
