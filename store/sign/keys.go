package sign

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/ProtonMail/go-crypto/openpgp"
	"golang.org/x/crypto/ssh"

	"cairn/store/object"
)

// ErrUnsigned says that a commit bears no signature.
var ErrUnsigned = errors.New("the commit is not signed")

// ErrUntrusted says that a commit is signed, but by no key that counts.
var ErrUntrusted = errors.New("the commit is not signed by a trusted key")

// Keys are the public keys whose signatures count. Nil and the zero value trust
// nobody. Safe for concurrent use once made.
type Keys struct {
	ssh map[string]bool // by wire form
	pgp openpgp.EntityList
}

// ParseKeys reads public keys: armored OpenPGP blocks, and lines of SSH keys as
// in authorized_keys(5) or in git's allowed-signers file (ssh-keygen(1)), one a
// line. Empty lines and those that begin with # are skipped. An OpenPGP key
// counts until it expires.
func ParseKeys(text []byte) (*Keys, error) {
	k := &Keys{ssh: map[string]bool{}}
	for len(text) > 0 {
		begin := bytes.Index(text, []byte(pgpBegin))
		if begin < 0 {
			begin = len(text)
		}
		if err := k.addLines(text[:begin]); err != nil {
			return nil, err
		}
		text = text[begin:]
		end := bytes.Index(text, []byte(pgpEnd))
		if end < 0 {
			end = len(text)
		} else {
			end += len(pgpEnd)
		}
		if end > 0 {
			list, err := openpgp.ReadArmoredKeyRing(bytes.NewReader(text[:end]))
			if err != nil {
				return nil, fmt.Errorf("read OpenPGP key: %w", err)
			}
			k.pgp = append(k.pgp, list...)
		}
		text = text[end:]
	}
	if len(k.ssh) == 0 && len(k.pgp) == 0 {
		return nil, errors.New("no public key: expected lines as in authorized_keys, or armored OpenPGP keys")
	}
	return k, nil
}

const (
	pgpBegin = "-----BEGIN PGP PUBLIC KEY BLOCK-----"
	pgpEnd   = "-----END PGP PUBLIC KEY BLOCK-----"
)

// addLines adds the SSH keys of some lines.
func (k *Keys) addLines(text []byte) error {
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		key, err := parseLine(line)
		if err != nil {
			return err
		}
		k.ssh[string(key.Marshal())] = true
	}
	return nil
}

// parseLine takes an SSH key with what may stand before it: options in
// authorized_keys, principals and options in an allowed-signers file.
func parseLine(line string) (ssh.PublicKey, error) {
	key, _, options, _, err := ssh.ParseAuthorizedKey([]byte(line))
	if err != nil {
		_, line, _ = strings.Cut(line, " ")
		key, _, options, _, err = ssh.ParseAuthorizedKey([]byte(line))
	}
	if err != nil {
		return nil, fmt.Errorf("read SSH key %.40q: %w", line, err)
	}
	for _, o := range options {
		// They would narrow what the key is good for, and are not looked at.
		name, value, _ := strings.Cut(o, "=")
		if name != "namespaces" || !slices.Contains(strings.Split(strings.Trim(value, `"`), ","), sshNamespace) {
			return nil, fmt.Errorf("SSH key with the option %.40q: options are not supported here", o)
		}
	}
	return key, nil
}

// Verify checks that a commit, given by its content, is signed by one of the
// keys. Otherwise the error is ErrUnsigned, ErrUntrusted, or says what is wrong
// with the signature.
func (k *Keys) Verify(commit []byte) error {
	c, err := object.ParseCommit(commit)
	if err != nil {
		return err
	}
	// What is verified has to be what is read: a commit with a second
	// signature, or one that is read otherwise than it is written, is not.
	for _, h := range c.Extra {
		if strings.HasPrefix(h.Key, "gpgsig") {
			return errors.New("the commit has several signatures")
		}
	}
	if !bytes.Equal(c.Encode(), commit) {
		return errors.New("the commit is not written as git writes them")
	}
	switch sig := c.GPGSig; {
	case sig == "":
		return ErrUnsigned
	case k == nil:
		return ErrUntrusted
	case strings.HasPrefix(sig, sshBegin):
		return k.verifySSH(c.SignedBytes(), sig)
	default:
		return k.verifyOpenPGP(c.SignedBytes(), sig)
	}
}
