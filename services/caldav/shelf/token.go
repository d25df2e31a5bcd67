package shelf

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"strings"

	"cairn/store"
	"cairn/store/object"
)

// A token says what a client knows of a collection: its state at the commit at;
// or, after an answer that was cut short, at the commit at for names up to resume
// and at the commit base for those after it.
type token struct {
	at     store.Hash
	base   store.Hash // Zero: nothing is known
	cut    bool
	resume string
}

// ErrToken says that a sync token is not one that was given out for the
// collection, or that what it names is no more (DAV:valid-sync-token, RFC 6578 §3.2).
var ErrToken = errors.New("sync token is not valid")

// tokenPrefix makes a URI of a token.
const tokenPrefix = "data:,"

const (
	wholeToken = 1
	cutToken   = 2

	macBytes = 16
)

func (c *Collection) encodeToken(t token) string {
	b := append([]byte{wholeToken}, t.at[:]...)
	if t.cut {
		b[0] = cutToken
		b = append(append(b, t.base[:]...), t.resume...)
	}
	return tokenPrefix + base64.RawURLEncoding.EncodeToString(append(b, c.mac(b)...))
}

func (c *Collection) decodeToken(s string) (t token, err error) {
	b, err := base64.RawURLEncoding.Strict().DecodeString(strings.TrimPrefix(s, tokenPrefix))
	n := len(b) - macBytes
	if err != nil || !strings.HasPrefix(s, tokenPrefix) || n < 1+len(t.at) || !hmac.Equal(b[n:], c.mac(b[:n])) {
		return token{}, ErrToken
	}
	kind, b := b[0], b[1:n]
	b = b[copy(t.at[:], b):]
	switch {
	case kind == wholeToken && len(b) == 0:
		return t, nil
	case kind == cutToken && len(b) >= len(t.base):
		t.cut, t.resume = true, string(b[copy(t.base[:], b):])
		return t, nil
	}
	return token{}, ErrToken
}

// mac authenticates a token for this collection of this person.
func (c *Collection) mac(b []byte) []byte {
	h := hmac.New(sha256.New, c.snap.shelf.o.Key[:])
	h.Write([]byte("sync token\x00" + c.snap.user + "\x00" + string(c.Kind) + "\x00" + c.Name + "\x00"))
	h.Write(b)
	return h.Sum(nil)[:macBytes]
}

// A firstKey names a state of a collection's folder.
type firstKey struct {
	user, dir string
	hash      store.Hash
}

// Token returns the sync token for what the collection is now (RFC 6578 §4). As
// long as the collection does not change it stays the same, as far as this process remembers;
// older ones stay valid.
func (c *Collection) Token() string { return c.encodeToken(token{at: c.commit()}) }

// commit returns a commit at which the collection was as it is: the first that was
// asked about, so that a change elsewhere on the branch does not make clients ask
// what has changed here.
func (c *Collection) commit() store.Hash {
	now := c.snap.Commit()
	if c.hash == object.Zero || now == object.Zero {
		return now
	}
	key := firstKey{c.snap.user, c.dir, c.hash}
	if h, ok := c.snap.shelf.firsts.get(key); ok {
		return h
	}
	c.snap.shelf.firsts.put(key, now, int64(len(key.user)+len(key.dir)))
	return now
}

// unsay has no more tokens made of a commit that is not there any more: history was
// pruned.
func (c *Collection) unsay(commit store.Hash) {
	key := firstKey{c.snap.user, c.dir, c.hash}
	if h, ok := c.snap.shelf.firsts.get(key); ok && h == commit {
		c.snap.shelf.firsts.drop(key)
	}
}
