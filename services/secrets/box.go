package secrets

import (
	"bytes"
	"crypto/cipher"
	"crypto/rand"

	"golang.org/x/crypto/chacha20poly1305"
)

const (
	magic       = "cairn secret 1\n" // of the secrets on the branch
	sealedMagic = "cairn sealed 1\n" // of what Seal returns; as long

	keyIDSize = 8
	headSize  = len(magic) + keyIDSize + chacha20poly1305.NonceSizeX
	overhead  = int64(headSize + chacha20poly1305.Overhead)
)

// A box seals and opens the files of one seed.
type box struct {
	magic string
	key   [chacha20poly1305.KeySize]byte
	id    [keyIDSize]byte
}

// seal returns the file for path that holds data. A nonce of 24 random bytes
// does not repeat however many there are.
func (b box) seal(path string, data []byte) []byte {
	out := make([]byte, 0, overhead+int64(len(data)))
	out = append(out, b.magic...)
	out = append(out, b.id[:]...)
	out = out[:headSize]
	nonce := out[len(magic)+keyIDSize:]
	rand.Read(nonce)
	return b.aead().Seal(out, nonce, data, bound(out, path))
}

// open returns what the file at path holds, never nil.
func (b box) open(path string, file []byte) ([]byte, error) {
	if int64(len(file)) < overhead || !bytes.HasPrefix(file, []byte(b.magic)) {
		return nil, ErrDamaged
	}
	head := file[:headSize]
	id, nonce := head[len(magic):len(magic)+keyIDSize], head[len(magic)+keyIDSize:]
	data, err := b.aead().Open([]byte{}, nonce, file[headSize:], bound(head, path))
	switch {
	case err == nil:
		return data, nil
	case !bytes.Equal(id, b.id[:]):
		return nil, ErrWrongSeed
	default:
		return nil, ErrDamaged
	}
}

// bound is what is authenticated beside the content: the head has a fixed
// length, so it cannot run into the path.
func bound(head []byte, path string) []byte {
	return append(bytes.Clone(head), path...)
}

func (b box) aead() cipher.AEAD {
	a, err := chacha20poly1305.NewX(b.key[:])
	if err != nil {
		panic(err) // the key has the right length by its type
	}
	return a
}
