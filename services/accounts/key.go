package accounts

import (
	"crypto/rsa"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/ProtonMail/go-crypto/openpgp"
	"golang.org/x/crypto/ssh"
)

// The kinds of SSH key that may log in, and the sizes of RSA. Longer ones than
// the upper bound make every log-in dear.
var keyTypes = []string{
	ssh.KeyAlgoED25519, ssh.KeyAlgoSKED25519, ssh.KeyAlgoSKECDSA256,
	ssh.KeyAlgoECDSA256, ssh.KeyAlgoECDSA384, ssh.KeyAlgoECDSA521, ssh.KeyAlgoRSA,
}

const (
	minRSA, maxRSA = 2048, 16384 // bits
	maxKeyLine     = 8 << 10     // bytes; an RSA key of 16384 bits takes under 3 KiB
)

// A Key is an SSH public key and the comment beside it.
type Key struct {
	ssh.PublicKey
	Comment string
}

// String is the authorized_keys line.
func (k Key) String() string {
	line := strings.TrimSpace(string(ssh.MarshalAuthorizedKey(k.PublicKey)))
	if k.Comment != "" {
		line += " " + k.Comment
	}
	return line
}

// ParseKey reads one authorized_keys line (sshd(8), AUTHORIZED_KEYS FILE
// FORMAT). Options, certificates, DSA and RSA under 2048 bits are refused.
func ParseKey(line string) (Key, error) {
	if len(line) > maxKeyLine {
		return Key{}, errors.New("the key is too long")
	}
	line = strings.TrimSpace(line)
	if !oneLine(line) {
		return Key{}, errors.New("a key is one line without control characters")
	}
	pub, comment, options, _, err := ssh.ParseAuthorizedKey([]byte(line))
	if err != nil {
		return Key{}, errors.New(`not a public key such as "ssh-ed25519 AAAA… comment"`)
	}
	if len(options) > 0 {
		return Key{}, fmt.Errorf("options such as %q are not supported; give the key without them", options[0])
	}
	if !slices.Contains(keyTypes, pub.Type()) {
		return Key{}, fmt.Errorf("keys of type %s are not accepted; make one with ssh-keygen -t ed25519", pub.Type())
	}
	if c, ok := pub.(ssh.CryptoPublicKey); ok {
		if r, ok := c.CryptoPublicKey().(*rsa.PublicKey); ok && (r.N.BitLen() < minRSA || r.N.BitLen() > maxRSA) {
			return Key{}, fmt.Errorf("an RSA key of %d bits is not accepted (%d to %d are); make one with ssh-keygen -t ed25519", r.N.BitLen(), minRSA, maxRSA)
		}
	}
	return Key{pub, comment}, nil
}

// checkOpenPGP accepts armored public keys and nothing secret.
func checkOpenPGP(armored string) error {
	keys, err := openpgp.ReadArmoredKeyRing(strings.NewReader(armored))
	if err != nil || len(keys) == 0 {
		return errors.New("not an armored OpenPGP public key")
	}
	for _, e := range keys {
		if e.PrivateKey != nil || slices.ContainsFunc(e.Subkeys, func(s openpgp.Subkey) bool { return s.PrivateKey != nil }) {
			return errors.New("this is a private key: it must not be here, and must now count as known to others")
		}
	}
	return nil
}
