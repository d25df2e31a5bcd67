package store

import (
	"bytes"
	"context"
	"fmt"
	"io"

	"cairn/store/object"
)

// A reader reads objects in parsed form, from the cache where they are in it.
// What is in the cache has been durable; what is pending may yet fail, and
// stays out of it.
//
// Reading has no context, because fs.FS has none: a backend that may have to
// wait for somebody sets its own limit.
type reader struct {
	objs    Objects
	cache   *cache
	pending *pending // what is on its way to the backend; nil when nothing ever is
}

func (r *reader) node(h Hash) (*node, error) {
	if h == emptyTree { // git knows it whether or not it is stored
		return nil, nil
	}
	if v, ok := r.cache.get(h); ok {
		if n, ok := v.(*node); ok {
			return n, nil
		}
		return nil, typeError(h, object.TypeTree)
	}
	if p, ok := r.pending.get(h); ok && p.node != nil {
		return p.node, nil
	}
	data, err := r.load(h, object.TypeTree)
	if err != nil {
		return nil, err
	}
	n, err := parseNode(string(data))
	if err != nil {
		return nil, fmt.Errorf("read tree %v: %w", h, err)
	}
	r.cache.put(h, n)
	return n, nil
}

func (r *reader) commit(h Hash) (*object.Commit, error) {
	if v, ok := r.cache.get(h); ok {
		if c, ok := v.(*object.Commit); ok {
			return c, nil
		}
		return nil, typeError(h, object.TypeCommit)
	}
	if p, ok := r.pending.get(h); ok && p.Type == object.TypeCommit {
		return object.ParseCommit(p.Data)
	}
	data, err := r.load(h, object.TypeCommit)
	if err != nil {
		return nil, err
	}
	c, err := object.ParseCommit(data)
	if err != nil {
		return nil, fmt.Errorf("read commit %v: %w", h, err)
	}
	r.cache.put(h, c)
	return c, nil
}

func (r *reader) blob(h Hash) ([]byte, error) {
	if v, ok := r.cache.get(h); ok {
		switch v := v.(type) {
		case []byte:
			return v, nil
		case int64: // only its size
		default:
			return nil, typeError(h, object.TypeBlob)
		}
	}
	if p, ok := r.pending.get(h); ok && p.Type == object.TypeBlob {
		return p.Data, nil
	}
	data, err := r.load(h, object.TypeBlob)
	if err != nil {
		return nil, err
	}
	r.cache.put(h, data)
	return data, nil
}

// size returns a blob's length in bytes.
func (r *reader) size(h Hash) (int64, error) {
	if v, ok := r.cache.get(h); ok {
		switch v := v.(type) {
		case []byte:
			return int64(len(v)), nil
		case int64:
			return v, nil
		}
		return 0, typeError(h, object.TypeBlob)
	}
	if p, ok := r.pending.get(h); ok && p.Type == object.TypeBlob {
		return int64(len(p.Data)), nil
	}
	t, n, err := r.objs.Stat(context.Background(), h)
	if err != nil {
		return 0, fmt.Errorf("stat %v: %w", h, err)
	}
	if t != object.TypeBlob {
		return 0, typeError(h, object.TypeBlob)
	}
	r.cache.put(h, n)
	return n, nil
}

// open streams a blob.
func (r *reader) open(ctx context.Context, h Hash) (io.ReadCloser, error) {
	if p, ok := r.pending.get(h); ok {
		return io.NopCloser(bytes.NewReader(p.Data)), nil
	}
	return r.objs.Open(ctx, h)
}

func (r *reader) load(h Hash, t object.Type) ([]byte, error) {
	o, err := r.objs.Object(context.Background(), h)
	if err != nil {
		return nil, fmt.Errorf("read %v %v: %w", t, h, err)
	}
	if o.Type != t {
		return nil, typeError(h, t)
	}
	return o.Data, nil
}

// A TypeError says that an object is not of the type that the one that names it
// says.
type TypeError struct {
	Hash Hash
	Want object.Type
}

func (e *TypeError) Error() string { return e.Hash.String() + " is not a " + e.Want.String() }

func typeError(h Hash, want object.Type) error { return &TypeError{h, want} }
