package object

import (
	"errors"
	"fmt"

	"github.com/go-git/go-git/v5/plumbing"
)

// A Tag is a parsed annotated tag. Encode of what ParseTag returned gives the
// same bytes, if the tag is as git writes them.
type Tag struct {
	Object  Hash
	Type    Type // of Object
	Name    string
	Tagger  Signature // zero when there is none, as in tags of 2005
	Extra   []Header  // other headers, in their order
	Message string    // with the signature of a signed tag at its end
}

// ParseTag parses a tag's content.
func ParseTag(data []byte) (*Tag, error) {
	t, err := parseTag(data)
	if err != nil {
		return nil, fmt.Errorf("parse tag: %w", err)
	}
	return t, nil
}

func parseTag(data []byte) (*Tag, error) {
	r := headerReader{data}
	t := &Tag{}
	var ok bool
	var err error
	if t.Object, ok, err = r.hash("object"); err != nil {
		return nil, err
	} else if !ok {
		return nil, errors.New("no object")
	}
	value, ok := r.line("type")
	if !ok {
		return nil, errors.New("no type")
	}
	if t.Type, ok = ParseType(string(value)); !ok {
		return nil, fmt.Errorf("unknown type %q", short(value))
	}
	if value, ok = r.line("tag"); !ok {
		return nil, errors.New("no name")
	}
	t.Name = string(value)
	if t.Tagger, _, err = r.signature("tagger"); err != nil {
		return nil, err
	}
	t.Extra = r.extra()
	t.Message = r.message()
	return t, nil
}

// ParseType returns the type with this name: commit, tree, blob or tag.
func ParseType(name string) (Type, bool) {
	t, err := plumbing.ParseObjectType(name)
	return t, err == nil && t.Valid() && !t.IsDelta()
}

// Encode returns the tag's content.
func (t *Tag) Encode() []byte {
	dst := make([]byte, 0, 256+len(t.Message))
	dst = appendHash(dst, "object", t.Object)
	dst = appendHeader(dst, "type", t.Type.String())
	dst = appendHeader(dst, "tag", t.Name)
	if t.Tagger != (Signature{}) {
		dst = appendSignature(dst, "tagger", t.Tagger)
	}
	for _, h := range t.Extra {
		dst = appendHeader(dst, h.Key, h.Value)
	}
	dst = append(dst, '\n')
	return append(dst, t.Message...)
}
