package store

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"cairn/store/object"
)

// A Change says who does something to a branch and what.
type Change struct {
	// Author is the acting user. Zero is the software itself, for what it does
	// on its own account; a zero When is now.
	Author object.Signature
	// Message says what happened, in its first line. It may not be empty.
	Message string
}

var errMessage = errors.New("a change needs a message, without NUL")

// check returns the change as it goes into a commit.
func (ch Change) check() (Change, error) {
	ch.Message = strings.ToValidUTF8(strings.TrimSpace(ch.Message), "\uFFFD")
	if ch.Message == "" || strings.IndexByte(ch.Message, 0) >= 0 {
		return ch, errMessage
	}
	if claims(ch.Message) {
		return ch, errReplaces
	}
	ch.Message += "\n"
	ch.Author.Name = strings.ToValidUTF8(ch.Author.Name, "\uFFFD")
	ch.Author.Email = strings.ToValidUTF8(ch.Author.Email, "\uFFFD")
	return ch, nil
}

// newCommit makes a commit of a tree. Its committer time is now, but not before
// that of any parent.
func (r *Repo) newCommit(ch Change, tree Hash, parents []Revision) (newObject, *object.Commit, error) {
	c := &object.Commit{
		Tree:      tree,
		Author:    ch.Author,
		Committer: r.options.Committer,
		Message:   ch.Message,
	}
	now := r.options.Now()
	for _, p := range parents {
		c.Parents = append(c.Parents, p.Hash)
		if p.Committer.When.After(now) {
			now = p.Committer.When
		}
	}
	c.Committer.When = now.UTC().Truncate(time.Second)
	switch {
	case c.Author == (object.Signature{}):
		c.Author = c.Committer
	case c.Author.When.IsZero():
		c.Author.When = c.Committer.When
	}
	if r.options.Replica != "" {
		// The number tells it from an earlier try of the same change within the second.
		c.Extra = []object.Header{{Key: "replica", Value: fmt.Sprintf("%s %08x", r.options.Replica, rand.Uint32())}}
	}
	if r.options.Signer != nil {
		sig, err := r.options.Signer.Sign(c.SignedBytes())
		if err != nil {
			return newObject{}, nil, fmt.Errorf("sign commit: %w", err)
		}
		c.GPGSig = strings.TrimSuffix(sig, "\n")
	}
	o := object.Object{Type: object.TypeCommit, Data: c.Encode()}
	return newObject{Object: o, hash: o.Hash()}, c, nil
}
