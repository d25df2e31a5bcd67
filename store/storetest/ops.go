package storetest

import (
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"strings"

	"cairn/store"
	"cairn/store/object"
)

// An op is one edit, which can be made to a Tx and to a map of what the branch
// holds. It is refused in both for the same reason, or in neither.
type op struct {
	kind    string // put, remove or copy
	path    string
	from    string // copy
	content string // put
	want    outcome
}

// An outcome is how an op ended.
type outcome string

const (
	done    outcome = "done"
	clashed outcome = "a clash"
	missing outcome = "nothing there"
)

func randomOps(rnd *rand.Rand) []op {
	ops := make([]op, 1+rnd.IntN(8))
	for i := range ops {
		o := op{kind: "put", path: randomPath(rnd), content: fmt.Sprint(rnd.IntN(1000))}
		switch rnd.IntN(5) {
		case 0:
			o.kind = "remove"
		case 1:
			o.kind, o.from = "copy", randomPath(rnd)
		}
		ops[i] = o
	}
	return ops
}

// randomPath is one of few, so that files and folders get in each other's way.
func randomPath(rnd *rand.Rand) string {
	names := []string{"a", "a.b", "a-b", "b", "c", "d", "ab"}
	path := names[rnd.IntN(len(names))]
	for rnd.IntN(2) == 0 {
		path += "/" + names[rnd.IntN(len(names))]
	}
	return path
}

// inTx makes the op to a Tx. The error is one that no op should have.
func (o op) inTx(tx *store.Tx) (outcome, error) {
	var err error
	switch o.kind {
	case "put":
		err = tx.Put(o.path, []byte(o.content))
	case "remove":
		err = tx.Remove(o.path)
	case "copy":
		var e object.Entry
		if e, err = tx.Lookup(o.from); err == nil && e.Mode == object.ModeDir {
			return missing, nil // of folders, copies are made elsewhere
		}
		if err == nil {
			err = tx.Link(o.path, e)
		}
	}
	if _, ok := errors.AsType[*store.ClashError](err); ok {
		return clashed, nil
	}
	if errors.Is(err, fs.ErrNotExist) {
		return missing, nil
	}
	return done, err
}

// inModel makes the op to files by path.
func (o op) inModel(files map[string]string) outcome {
	content := o.content
	switch o.kind {
	case "remove":
		return removeAll(files, o.path)
	case "copy":
		var ok bool
		if content, ok = files[o.from]; !ok {
			return missing
		}
	}
	for path := range files {
		if strings.HasPrefix(path, o.path+"/") || strings.HasPrefix(o.path, path+"/") {
			return clashed
		}
	}
	files[o.path] = content
	return done
}

func removeAll(files map[string]string, path string) outcome {
	before := len(files)
	for p := range files {
		if p == path || strings.HasPrefix(p, path+"/") {
			delete(files, p)
		}
	}
	if len(files) == before {
		return missing
	}
	return done
}
