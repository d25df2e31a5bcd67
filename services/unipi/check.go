package unipi

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"cairn/store"
	"cairn/store/object"
)

// An LFSError says that a push holds Git LFS pointers instead of files.
type LFSError struct {
	Paths []string // at most ten of them
	More  int      // how many others there are
}

func (e *LFSError) Error() string {
	s := "these files are Git LFS pointers, not their content: " + strings.Join(e.Paths, ", ")
	if e.More > 0 {
		s += fmt.Sprintf(" and %d more", e.More)
	}
	return s + ". Cairn serves what is in git. Put the content there and push again: git lfs migrate export --everything --include='*'"
}

// How large a Git LFS pointer is, in bytes: at most by its specification, at least
// because it holds two lines of known length.
const (
	maxPointer = 1024
	minPointer = 100
)

// CheckPush decides whether a branch may move from old, which is nil when it is
// new, to new: an *LFSError when the push brings Git LFS pointers. Lines of _redirects and _headers
// that cannot be used are returned as warnings: the site works without them.
// Only what differs between the two is looked at.
func CheckPush(ctx context.Context, old, new *store.Tree) (warnings []*RuleError, err error) {
	if new == nil {
		return nil, nil
	}
	lfs := &LFSError{}
	err = changes(ctx, old, new, func(d store.Difference) error {
		if d.New.Hash.IsZero() || d.New.Mode == object.ModeSymlink || d.New.Mode == object.ModeSubmodule {
			return nil
		}
		switch d.Path {
		case "_redirects":
			_, w := ParseRedirects(ruleText(new, d.Path))
			warnings = append(warnings, w...)
		case "_headers":
			_, w := ParseHeaders(ruleText(new, d.Path))
			warnings = append(warnings, w...)
		}
		is, err := isPointer(ctx, new, d.New.Hash)
		if is && len(lfs.Paths) < 10 {
			lfs.Paths = append(lfs.Paths, d.Path)
		} else if is {
			lfs.More++
		}
		return err
	})
	if err == nil && len(lfs.Paths) > 0 {
		return warnings, lfs
	}
	return warnings, err
}

// maxChanged is how many files one push may change. A tree of a few KB can name
// one folder so often that it has more than could ever be looked at.
const maxChanged = 1 << 20

// ErrTooManyFiles says that a push changes more files than anybody will look
// at.
var ErrTooManyFiles = errors.New("the push changes more than 1,048,576 files; split it")

// changes visits what differs.
func changes(ctx context.Context, old, new *store.Tree, visit func(store.Difference) error) error {
	n := 0
	for d, err := range old.Diff(ctx, new) {
		if err != nil {
			return fmt.Errorf("compare the pushed files: %w", err)
		}
		if n++; n > maxChanged {
			return ErrTooManyFiles
		}
		if err := visit(d); err != nil {
			return err
		}
	}
	return nil
}

// isPointer reports whether a blob is a Git LFS pointer (the specification of
// Git LFS, "The pointer"). It goes by the hash: a path would be looked up anew
// for each file of a push.
func isPointer(ctx context.Context, t *store.Tree, h store.Hash) (bool, error) {
	size, err := t.BlobSize(h)
	if err != nil || size > maxPointer || size < minPointer {
		return false, err
	}
	r, err := t.OpenBlob(ctx, h)
	if err != nil {
		return false, err
	}
	data, err := io.ReadAll(r)
	if err = errors.Join(err, r.Close()); err != nil {
		return false, err
	}
	rest, ok := bytes.CutPrefix(data, []byte("version https://git-lfs.github.com/spec/v1\n"))
	if !ok {
		rest, ok = bytes.CutPrefix(data, []byte("version https://hawser.github.com/spec/v1\n"))
	}
	return ok && bytes.Contains(rest, []byte("oid sha256:")), nil
}
