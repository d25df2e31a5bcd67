package store

import (
	"context"
	"fmt"

	"cairn/store/object"
)

// NewTree returns the snapshot that h names, a commit or a tree or a tag of
// one, from any Objects, such as a quarantine over a repository. What it reads
// is cached for as long as the Tree lives, up to a few MiB.
func NewTree(ctx context.Context, objs Objects, h Hash) (*Tree, error) {
	return newTree(ctx, &reader{objs: objs, cache: newCache(4 << 20)}, h)
}

// maxTags is how many tags may name one another.
const maxTags = 16

func newTree(ctx context.Context, read *reader, h Hash) (*Tree, error) {
	for range maxTags {
		t, _, err := read.objs.Stat(ctx, h)
		if err != nil {
			return nil, fmt.Errorf("open tree %v: %w", h, err)
		}
		switch t {
		case object.TypeTag:
			if h, err = tagged(ctx, read.objs, h); err != nil {
				return nil, err
			}
		case object.TypeCommit:
			return read.commitTree(h)
		default:
			return read.tree(h, Revision{})
		}
	}
	return nil, fmt.Errorf("open tree %v: tags nest too deep", h)
}

func tagged(ctx context.Context, objs Objects, h Hash) (Hash, error) {
	o, err := objs.Object(ctx, h)
	if err != nil {
		return h, fmt.Errorf("read tag %v: %w", h, err)
	}
	tag, err := object.ParseTag(o.Data)
	if err != nil {
		return h, fmt.Errorf("read tag %v: %w", h, err)
	}
	return tag.Object, nil
}

func (r *reader) commitTree(h Hash) (*Tree, error) {
	c, err := r.commit(h)
	if err != nil {
		return nil, err
	}
	return r.tree(c.Tree, Revision{h, c})
}

func (r *reader) tree(h Hash, rev Revision) (*Tree, error) {
	root, err := r.node(h)
	if err != nil {
		return nil, err
	}
	return &Tree{read: r, hash: h, root: root, commit: rev}, nil
}
