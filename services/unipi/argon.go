package unipi

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/crypto/argon2"
)

// Costs of a new password hash (RFC 9106, section 4, second choice).
const (
	argonTime    = 3
	argonMemory  = 64 << 10 // KiB
	argonThreads = 4
)

// HashPassword returns an argon2id hash in the PHC string format, for a list
// that CheckList reads.
func HashPassword(password string) string {
	salt := make([]byte, 16)
	_, _ = rand.Read(salt) // never fails
	sum := argon2.IDKey([]byte(password), salt, argonTime, argonMemory, argonThreads, 32)
	b64 := base64.RawStdEncoding.EncodeToString
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, argonMemory, argonTime, argonThreads, b64(salt), b64(sum))
}

// CheckList returns a Guard's Check over a list of users and their hashes, as
// HashPassword makes them. A name that is not in the list takes as long as one
// that is.
func CheckList(users map[string]string) (func(context.Context, string, string) (bool, error), error) {
	hashes := make(map[string]argonHash, len(users))
	for user, text := range users {
		h, err := parseArgon(text)
		if err != nil {
			return nil, fmt.Errorf("password hash of %q: %w", user, err)
		}
		hashes[user] = h
	}
	// What is compared for a name that is not in the list: as costly as any.
	stranger := argonHash{time: argonTime, memory: argonMemory, threads: argonThreads, salt: make([]byte, 16), sum: make([]byte, 32)}
	for _, h := range hashes {
		stranger.time, stranger.memory, stranger.threads = h.time, h.memory, h.threads
	}
	_, _ = rand.Read(stranger.sum) // never fails
	return func(_ context.Context, user, password string) (bool, error) {
		h, known := hashes[user]
		if !known {
			h = stranger
		}
		return h.matches(password) && known, nil
	}, nil
}

type argonHash struct {
	time, memory uint32
	threads      uint8
	salt, sum    []byte
}

func (h argonHash) matches(password string) bool {
	sum := argon2.IDKey([]byte(password), h.salt, h.time, h.memory, h.threads, uint32(len(h.sum)))
	return subtle.ConstantTimeCompare(sum, h.sum) == 1
}

// parseArgon reads "$argon2id$v=19$m=65536,t=3,p=4$salt$sum". Costs above 1 GiB,
// 100 rounds or 64 threads are refused.
func parseArgon(text string) (argonHash, error) {
	errForm := fmt.Errorf("is not $argon2id$v=19$m=…,t=…,p=…$salt$sum")
	f := strings.Split(text, "$")
	if len(f) != 6 || f[0] != "" || f[1] != "argon2id" || f[2] != "v=19" {
		return argonHash{}, errForm
	}
	var cost [3]uint64
	params := strings.Split(f[3], ",")
	if len(params) != 3 {
		return argonHash{}, errForm
	}
	for i, name := range []string{"m=", "t=", "p="} {
		v, ok := strings.CutPrefix(params[i], name)
		n, err := strconv.ParseUint(v, 10, 32)
		if !ok || err != nil || n == 0 || n > []uint64{1 << 20, 100, 64}[i] {
			return argonHash{}, errForm
		}
		cost[i] = n
	}
	salt, err := base64.RawStdEncoding.DecodeString(f[4])
	if err != nil || len(salt) < 8 || len(salt) > 64 {
		return argonHash{}, errForm
	}
	sum, err := base64.RawStdEncoding.DecodeString(f[5])
	if err != nil || len(sum) < 16 || len(sum) > 64 {
		return argonHash{}, errForm
	}
	return argonHash{uint32(cost[1]), uint32(cost[0]), uint8(cost[2]), salt, sum}, nil
}
