package sign

import (
	"bytes"
	"crypto/rand"
	"crypto/sha512"
	"encoding/base64"
	"fmt"

	"golang.org/x/crypto/ssh"

	"cairn/store"
)

// SSH signs commits with an SSH key (OpenSSH's PROTOCOL.sshsig, namespace
// "git"). Git verifies them with ssh-keygen, where gpg.format is ssh and
// gpg.ssh.allowedSignersFile names the key.
func SSH(key ssh.Signer) store.Signer { return &sshSigner{key} }

type sshSigner struct{ key ssh.Signer }

const (
	sshBegin     = "-----BEGIN SSH SIGNATURE-----"
	sshEnd       = "-----END SSH SIGNATURE-----"
	sshMagic     = "SSHSIG"
	sshNamespace = "git"
	sshHash      = "sha512"
)

// Sign implements store.Signer.
func (s *sshSigner) Sign(commit []byte) (string, error) {
	sum := sha512.Sum512(commit)
	sig, err := s.sign(signedBySSH(sshHash, sum[:]))
	if err != nil {
		return "", fmt.Errorf("sign with SSH key: %w", err)
	}
	blob := append([]byte(sshMagic), ssh.Marshal(sshBlob{1, s.key.PublicKey().Marshal(), sshNamespace, "", sshHash, ssh.Marshal(sig)})...)
	return armorSSH(blob), nil
}

// An sshBlob is what an armored signature holds after the magic.
type sshBlob struct {
	Version                   uint32
	Key                       []byte
	Namespace, Reserved, Hash string
	Signature                 []byte
}

// signedBySSH is what the signature of a message with a hash is made over.
func signedBySSH(algorithm string, sum []byte) []byte {
	return append([]byte(sshMagic), ssh.Marshal(struct {
		Namespace, Reserved, Hash string
		Sum                       []byte
	}{sshNamespace, "", algorithm, sum})...)
}

// sign makes sure that an RSA key does not sign with SHA-1, which sshsig
// forbids.
func (s *sshSigner) sign(data []byte) (*ssh.Signature, error) {
	if rsa, ok := s.key.(ssh.AlgorithmSigner); ok && s.key.PublicKey().Type() == ssh.KeyAlgoRSA {
		return rsa.SignWithAlgorithm(rand.Reader, data, ssh.KeyAlgoRSASHA512)
	}
	return s.key.Sign(rand.Reader, data)
}

func armorSSH(blob []byte) string {
	const width = 70
	var out bytes.Buffer
	out.WriteString(sshBegin + "\n")
	text := base64.StdEncoding.EncodeToString(blob)
	for len(text) > 0 {
		n := min(len(text), width)
		out.WriteString(text[:n])
		out.WriteByte('\n')
		text = text[n:]
	}
	out.WriteString(sshEnd + "\n")
	return out.String()
}
