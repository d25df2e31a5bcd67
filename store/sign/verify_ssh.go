package sign

import (
	"bytes"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/crypto/ssh"
)

// verifySSH checks a signature as ssh-keygen makes it for git (OpenSSH's
// PROTOCOL.sshsig).
func (k *Keys) verifySSH(signed []byte, sig string) error {
	if err := k.checkSSH(signed, sig); err != nil {
		return fmt.Errorf("verify SSH signature: %w", err)
	}
	return nil
}

var errArmor = errors.New("malformed signature")

func (k *Keys) checkSSH(signed []byte, armored string) error {
	blob, err := parseSSH(armored)
	if err != nil {
		return err
	}
	if blob.Version != 1 || blob.Namespace != sshNamespace {
		return fmt.Errorf("made for %.20q, version %d; expected %q, version 1", blob.Namespace, blob.Version, sshNamespace)
	}
	if !k.ssh[string(blob.Key)] {
		return ErrUntrusted
	}
	var sum []byte
	switch blob.Hash {
	case "sha512":
		s := sha512.Sum512(signed)
		sum = s[:]
	case "sha256":
		s := sha256.Sum256(signed)
		sum = s[:]
	default:
		return fmt.Errorf("hash %.20q is not supported", blob.Hash)
	}
	key, err := ssh.ParsePublicKey(blob.Key)
	if err != nil {
		return err
	}
	var sig ssh.Signature
	if err := ssh.Unmarshal(blob.Signature, &sig); err != nil {
		return errArmor
	}
	if !slices.Contains(sshAlgorithms, sig.Format) {
		return fmt.Errorf("algorithm %.40q is not supported", sig.Format)
	}
	return key.Verify(signedBySSH(blob.Hash, sum), &sig)
}

// sshAlgorithms are those whose signatures count: not RSA with SHA-1, not DSA.
var sshAlgorithms = []string{
	ssh.KeyAlgoED25519, ssh.KeyAlgoSKED25519,
	ssh.KeyAlgoECDSA256, ssh.KeyAlgoECDSA384, ssh.KeyAlgoECDSA521, ssh.KeyAlgoSKECDSA256,
	ssh.KeyAlgoRSASHA256, ssh.KeyAlgoRSASHA512,
}

// parseSSH undoes the armor.
func parseSSH(armored string) (*sshBlob, error) {
	text, ok := strings.CutPrefix(strings.TrimSpace(armored), sshBegin)
	if !ok {
		return nil, errArmor
	}
	if text, ok = strings.CutSuffix(text, sshEnd); !ok {
		return nil, errArmor
	}
	raw, err := base64.StdEncoding.Strict().DecodeString(strings.Join(strings.Fields(text), ""))
	if err != nil {
		return nil, errArmor
	}
	raw, ok = bytes.CutPrefix(raw, []byte(sshMagic))
	if !ok {
		return nil, errArmor
	}
	blob := new(sshBlob)
	if err := ssh.Unmarshal(raw, blob); err != nil {
		return nil, errArmor
	}
	return blob, nil
}
