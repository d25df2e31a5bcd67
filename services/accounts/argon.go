package accounts

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync/atomic"

	"golang.org/x/crypto/argon2"
)

// A phc is an argon2id hash in the PHC string format,
// $argon2id$v=19$m=19456,t=2,p=1$<salt>$<hash>, base64 without padding.
type phc struct {
	memory  uint32 // KiB
	time    uint32 // passes
	threads uint8
	salt    []byte
	sum     []byte
}

// What new hashes cost: the second of the equal choices that OWASP's Password
// Storage Cheat Sheet lists for argon2id, 19 MiB and two passes.
var current = phc{memory: 19456, time: 2, threads: 1, salt: make([]byte, 16), sum: make([]byte, 32)}

// The dearest hash that is verified: a record made by hand must not take the
// machine's memory.
const (
	maxMemory  = 64 << 10 // KiB, what RFC 9106 §4 recommends where memory is scarce
	maxTime    = 16
	maxThreads = 8
)

var errPHC = errors.New("not an argon2id hash such as $argon2id$v=19$m=19456,t=2,p=1$…$… within 64 MiB, 16 passes and 8 threads")

func parsePHC(s string) (phc, error) {
	var h phc
	part := strings.Split(s, "$")
	if len(part) != 6 || part[0] != "" || part[1] != "argon2id" || part[2] != "v=19" {
		return h, errPHC
	}
	if n, err := fmt.Sscanf(part[3], "m=%d,t=%d,p=%d", &h.memory, &h.time, &h.threads); n != 3 || err != nil {
		return h, errPHC
	}
	salt, err1 := base64.RawStdEncoding.Strict().DecodeString(part[4])
	sum, err2 := base64.RawStdEncoding.Strict().DecodeString(part[5])
	h.salt, h.sum = salt, sum
	if err1 != nil || err2 != nil || h.String() != s || !h.sane() {
		return h, errPHC
	}
	return h, nil
}

// sane applies RFC 9106 §3.1 and the bounds above.
func (h phc) sane() bool {
	return h.memory >= 8*uint32(h.threads) && h.memory <= maxMemory &&
		h.time >= 1 && h.time <= maxTime && h.threads >= 1 && h.threads <= maxThreads &&
		len(h.salt) >= 8 && len(h.salt) <= 64 && len(h.sum) >= 16 && len(h.sum) <= 64
}

func (h phc) String() string {
	b64 := base64.RawStdEncoding
	return fmt.Sprintf("$argon2id$v=19$m=%d,t=%d,p=%d$%s$%s", h.memory, h.time, h.threads, b64.EncodeToString(h.salt), b64.EncodeToString(h.sum))
}

func (h phc) of(password string) []byte {
	return argon2.IDKey([]byte(password), h.salt, h.time, h.memory, h.threads, uint32(len(h.sum)))
}

// A hasher computes hashes, only so many at once that their memory is bounded:
// one per processor, at most four: 76 MiB together at the current cost, 256 MiB
// at the dearest that is accepted.
type hasher struct {
	slots   chan struct{}
	waiting atomic.Int32
}

// maxWaiting is how many may queue for a slot. More are told to come again.
const maxWaiting = 256

func newHasher() *hasher {
	return &hasher{slots: make(chan struct{}, max(1, min(runtime.GOMAXPROCS(0), 4)))}
}

// hash makes the hash of a new password.
func (s *hasher) hash(ctx context.Context, password string) (string, error) {
	h := current
	h.salt = make([]byte, len(current.salt))
	rand.Read(h.salt)
	var err error
	h.sum, err = s.run(ctx, h, password)
	return h.String(), err
}

// verify reports whether password is the one that h was made of.
func (s *hasher) verify(ctx context.Context, h phc, password string) (bool, error) {
	sum, err := s.run(ctx, h, password)
	return err == nil && subtle.ConstantTimeCompare(sum, h.sum) == 1, err
}

// run waits for a slot and computes h's hash of password.
func (s *hasher) run(ctx context.Context, h phc, password string) ([]byte, error) {
	if s.waiting.Add(1) > maxWaiting {
		s.waiting.Add(-1)
		return nil, &RateError{After: busyDelay}
	}
	defer s.waiting.Add(-1)
	select {
	case s.slots <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	defer func() { <-s.slots }()
	return h.of(password), nil
}
