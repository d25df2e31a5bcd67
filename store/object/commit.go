package object

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// A Commit is a parsed commit. Encode of what ParseCommit returned gives the same
// bytes, if the commit is as git writes them: every header a key, a
// space and a value, one space before a date, a blank line before the message.
type Commit struct {
	Tree              Hash
	Parents           []Hash
	Author, Committer Signature
	Encoding          string // of the message; empty is UTF-8
	GPGSig            string // armored, OpenPGP or SSH, without the last line feed

	// Extra holds the other headers in their order, such as mergetag. They
	// stand between Encoding and GPGSig, unless an Extra with the key
	// "encoding" or "gpgsig" and no value marks another place for those.
	Extra []Header

	Message string
}

// ParseCommit parses a commit's content, also one that git fsck complains of
// as long as tree, parents, author and committer can be read.
func ParseCommit(data []byte) (*Commit, error) {
	c, err := parseCommit(data)
	if err != nil {
		return nil, fmt.Errorf("parse commit: %w", err)
	}
	return c, nil
}

func parseCommit(data []byte) (*Commit, error) {
	r := headerReader{data}
	c := &Commit{}
	var ok bool
	var err error
	if c.Tree, ok, err = r.hash("tree"); err != nil {
		return nil, err
	} else if !ok {
		return nil, errors.New("no tree")
	}
	for {
		p, ok, err := r.hash("parent")
		if err != nil {
			return nil, err
		}
		if !ok {
			break
		}
		c.Parents = append(c.Parents, p)
	}
	if c.Author, ok, err = r.signature("author"); err != nil {
		return nil, err
	} else if !ok {
		return nil, errors.New("no author")
	}
	if c.Committer, ok, err = r.signature("committer"); err != nil {
		return nil, err
	} else if !ok {
		return nil, errors.New("no committer")
	}
	c.Extra = r.extra()
	c.takeKnown()
	c.Message = r.message()
	return c, nil
}

// takeKnown moves the values of encoding and gpgsig from Extra to their fields and
// leaves a mark only where they do not stand in their usual place.
func (c *Commit) takeKnown() {
	for i := range c.Extra {
		switch h := &c.Extra[i]; {
		case h.Key == "encoding" && c.Encoding == "":
			c.Encoding, h.Value = h.Value, ""
		case h.Key == "gpgsig" && c.GPGSig == "":
			c.GPGSig, h.Value = h.Value, ""
		}
	}
	if n := len(c.Extra); n > 0 && c.Extra[n-1] == (Header{Key: "gpgsig"}) && c.count("gpgsig") == 1 {
		c.Extra = c.Extra[:n-1]
	}
	if len(c.Extra) > 0 && c.Extra[0] == (Header{Key: "encoding"}) && c.count("encoding") == 1 {
		c.Extra = c.Extra[1:]
	}
	if len(c.Extra) == 0 {
		c.Extra = nil
	}
}

func (c *Commit) count(key string) (n int) {
	for _, h := range c.Extra {
		if h.Key == key {
			n++
		}
	}
	return n
}

// Encode returns the commit's content.
func (c *Commit) Encode() []byte {
	return c.encode(true)
}

// SignedBytes returns what a signature of the commit is made over: its content
// without GPGSig, and without signatures for other hash algorithms.
func (c *Commit) SignedBytes() []byte {
	return c.encode(false)
}

func (c *Commit) encode(signed bool) []byte {
	dst := make([]byte, 0, 256+48*len(c.Parents)+len(c.GPGSig)+len(c.Message))
	dst = appendHash(dst, "tree", c.Tree)
	for _, p := range c.Parents {
		dst = appendHash(dst, "parent", p)
	}
	dst = appendSignature(dst, "author", c.Author)
	dst = appendSignature(dst, "committer", c.Committer)
	for _, h := range c.headers() {
		if signed || !strings.HasPrefix(h.Key, "gpgsig") {
			dst = appendHeader(dst, h.Key, h.Value)
		}
	}
	dst = append(dst, '\n')
	return append(dst, c.Message...)
}

// headers is Extra with Encoding and GPGSig in their places.
func (c *Commit) headers() []Header {
	headers := slices.Clone(c.Extra)
	if c.Encoding != "" {
		headers = place(headers, 0, Header{"encoding", c.Encoding})
	}
	if c.GPGSig != "" {
		headers = place(headers, len(headers), Header{"gpgsig", c.GPGSig})
	}
	return headers
}

// place puts h where a mark for it stands, else at i.
func place(headers []Header, i int, h Header) []Header {
	if mark := slices.Index(headers, Header{Key: h.Key}); mark >= 0 {
		headers[mark] = h
		return headers
	}
	return slices.Insert(headers, i, h)
}
