package push

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/ecdh"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"io"
)

// record is the record size that messages name; all of ours fit into one (RFC 8291
// §4: 4,096 bytes with header and tag is what push services take).
const record = 4096

// maxMessage is how long a message may be.
const maxMessage = record - 16 - 1 - (16 + 4 + 1 + 65)

// encrypt writes a message that only the holder of a key can read: the aes128gcm
// coding of RFC 8188 with the keys of RFC 8291. It takes a fresh key and salt from random.
func encrypt(random io.Reader, public, auth, message []byte) ([]byte, error) {
	if len(message) > maxMessage {
		return nil, fmt.Errorf("a message of %d bytes, %d at most", len(message), maxMessage)
	}
	theirs, err := curve.NewPublicKey(public)
	if err != nil {
		return nil, err
	}
	ours, err := fresh(random)
	if err != nil {
		return nil, err
	}
	salt := make([]byte, 16)
	if _, err := io.ReadFull(random, salt); err != nil {
		return nil, err
	}
	return seal(ours, theirs, auth, salt, message)
}

// fresh makes a key pair.
func fresh(random io.Reader) (*ecdh.PrivateKey, error) {
	for b := make([]byte, 32); ; {
		if _, err := io.ReadFull(random, b); err != nil {
			return nil, err
		}
		if k, err := curve.NewPrivateKey(b); err == nil {
			return k, nil
		}
	}
}

func seal(ours *ecdh.PrivateKey, theirs *ecdh.PublicKey, auth, salt, message []byte) ([]byte, error) {
	secret, err := ours.ECDH(theirs)
	if err != nil {
		return nil, err
	}
	// RFC 8291 §3.4
	info := "WebPush: info\x00" + string(theirs.Bytes()) + string(ours.PublicKey().Bytes())
	ikm, err := hkdf.Key(sha256.New, secret, auth, info, 32)
	if err != nil {
		return nil, err
	}
	key, err := hkdf.Key(sha256.New, ikm, salt, "Content-Encoding: aes128gcm\x00", 16)
	if err != nil {
		return nil, err
	}
	nonce, err := hkdf.Key(sha256.New, ikm, salt, "Content-Encoding: nonce\x00", 12)
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	gcm, err := cipher.NewGCM(block)
	if err != nil {
		return nil, err
	}
	// RFC 8188 §2.1: salt, record size, length of the key, key; then the only
	// record, which ends in 2.
	out := binary.BigEndian.AppendUint32(append([]byte(nil), salt...), record)
	public := ours.PublicKey().Bytes()
	out = append(append(out, byte(len(public))), public...)
	return gcm.Seal(out, nonce, append(append([]byte(nil), message...), 2), nil), nil
}
