package gitwire

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"

	"cairn/store"
	"cairn/store/object"
)

// tree adds a tree and what is below it, apart from what the bases hold at the
// same place: those are trees that the client has or that have been added
// before. Named is a tree that the client asked for by name.
func (s *selection) tree(ctx context.Context, h store.Hash, depth int, bases []store.Hash, named bool) error {
	if depth > maxTreeDepth {
		return errDeepTree
	}
	if s.again > maxAgain {
		return errTreeFilter
	}
	if !named && !s.enter(h, depth) {
		return nil
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	below, err := s.mark(ctx, bases)
	if err != nil {
		return err
	}
	subtrees, err := s.entries(ctx, h, depth+1, below)
	if err != nil {
		return err
	}
	for _, t := range subtrees {
		if err := s.tree(ctx, t.hash, depth+1, t.bases, false); err != nil {
			return err
		}
	}
	return nil
}

// A subtree is a tree found in another, to be looked at later.
type subtree struct {
	hash  store.Hash
	bases []store.Hash
}

// entries adds a tree's blobs and returns its trees. The tree's bytes are let go
// before anybody goes deeper.
func (s *selection) entries(ctx context.Context, h store.Hash, depth int, below map[string][]store.Hash) ([]subtree, error) {
	data, err := s.read(ctx, h)
	if err != nil {
		return nil, err
	}
	var subtrees []subtree
	err = eachEntry(data, func(m object.Mode, name []byte, h store.Hash) error {
		switch {
		case isSubmodule(m):
			return nil
		case isTree(m):
			if at, known := s.index[h]; !known || s.depth != nil && at != clientHas {
				subtrees = append(subtrees, subtree{h, below[string(name)]})
			}
			return nil
		}
		return s.blob(ctx, h, depth)
	})
	return subtrees, err
}

var errDeepTree = errors.New("folders nest too deep")

// maxAgain is how many trees a filter by depth may look at more than once. Trees
// can be made so that each is met less deep a thousand times.
const maxAgain = 1 << 20

var errTreeFilter = badRequest("upload-pack: the tree filter takes too long")

// enter decides about a tree; false when there is nothing to do below it.
func (s *selection) enter(h store.Hash, depth int) bool {
	if !s.filter.reaches(depth) {
		return false
	}
	at, known := s.index[h]
	if !known {
		if s.filter.sends(object.TypeTree) {
			s.add(h)
		} else {
			s.index[h] = filteredOut
		}
	}
	if s.depth != nil && at != clientHas {
		before, met := s.depth[h]
		if !met || depth < before {
			s.depth[h] = depth
			if met {
				s.again++
			}
			return true
		}
	}
	return !known
}

// mark notes that the client has, or will have, what stands in the bases, and
// returns their subtrees by name.
func (s *selection) mark(ctx context.Context, bases []store.Hash) (map[string][]store.Hash, error) {
	if len(bases) == 0 {
		return nil, nil
	}
	below := make(map[string][]store.Hash)
	for _, b := range bases {
		data, err := s.read(ctx, b)
		if s.g.lenient && errors.Is(err, fs.ErrNotExist) {
			continue // what it shares with the tree is sent
		}
		if err != nil {
			return nil, err
		}
		err = eachEntry(data, func(m object.Mode, name []byte, h store.Hash) error {
			if isSubmodule(m) {
				return nil
			}
			s.had(h)
			if same := below[string(name)]; isTree(m) && len(same) < maxEdges && !slices.Contains(same, h) {
				below[string(name)] = append(same, h)
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return below, nil
}

func (s *selection) read(ctx context.Context, h store.Hash) ([]byte, error) {
	o, err := s.g.objs.Object(ctx, h)
	if err == nil && o.Type != object.TypeTree {
		err = fmt.Errorf("it is a %s", o.Type)
	}
	if err != nil {
		return nil, fmt.Errorf("read tree %s: %w", h, err)
	}
	return o.Data, nil
}

// blob decides about a blob; only a limit by size needs a look at it.
func (s *selection) blob(ctx context.Context, h store.Hash, depth int) error {
	if _, known := s.index[h]; known || !s.filter.reaches(depth) {
		return nil
	}
	if !s.filter.sends(object.TypeBlob) {
		return nil
	}
	if s.filter.hasLimit {
		_, size, err := s.g.objs.Stat(ctx, h)
		if err != nil {
			return fmt.Errorf("look at blob %s: %w", h, err)
		}
		if size >= s.filter.blobLimit {
			s.index[h] = filteredOut
			return nil
		}
	}
	s.add(h)
	return nil
}
