// Package storetest tests backends: every store.Backend passes Test.
//
//	func TestBackend(t *testing.T) {
//		storetest.Test(t, func(t *testing.T) store.Backend { return mem.New() })
//	}
//
// It holds the backend to the contract in store/backend.go, and store.Repo over
// it to a simple model.
package storetest

import (
	"context"
	"testing"
	"time"

	"cairn/store"
	"cairn/store/object"
)

// Test runs the suite. open returns a new, empty backend for each test.
func Test(t *testing.T, open func(t *testing.T) store.Backend) {
	for _, group := range []struct {
		name  string
		tests []test
	}{
		{"Objects", objectTests},
		{"Refs", refTests},
		{"Wait", waitTests},
		{"Receive", receiveTests},
		{"Repo", repoTests},
	} {
		t.Run(group.name, func(t *testing.T) {
			for _, test := range group.tests {
				t.Run(test.name, func(t *testing.T) { test.run(t, open(t)) })
			}
		})
	}
}

type test struct {
	name string
	run  func(*testing.T, store.Backend)
}

// patience is how long something may take that should not take long.
const patience = 2 * time.Minute

// soon returns a context that ends when patience does.
func soon(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	return ctx
}

func blob(content string) object.Object {
	return object.Object{Type: object.TypeBlob, Data: []byte(content)}
}

// commit returns the objects of a commit whose tree has one file, the commit
// last.
func commit(file, content string, parents ...store.Hash) []object.Object {
	b := blob(content)
	tree := object.Object{Type: object.TypeTree, Data: object.AppendTree(nil, []object.Entry{{Name: file, Mode: object.ModeFile, Hash: b.Hash()}})}
	who := object.Signature{Name: "Tester", Email: "tester@localhost", When: time.Unix(1700000000, 0).UTC()}
	c := object.Commit{Tree: tree.Hash(), Parents: parents, Author: who, Committer: who, Message: "put " + file + "\n"}
	return []object.Object{b, tree, {Type: object.TypeCommit, Data: c.Encode()}}
}

// put commits objs and moves a ref to the last of them.
func put(t *testing.T, b store.Backend, ref string, old store.Hash, objs []object.Object) store.Hash {
	t.Helper()
	h := objs[len(objs)-1].Hash()
	if err := b.Commit(soon(t), objs, []store.RefChange{{Name: ref, Old: old, New: h}}); err != nil {
		t.Fatalf("commit to %s: %v", ref, err)
	}
	return h
}

// at checks what a ref is; Zero is absent.
func at(t *testing.T, b store.Backend, ref string, want store.Hash) {
	t.Helper()
	if got := value(t, b, ref); got != want {
		t.Errorf("ref %s: got %v, want %v", ref, got, want)
	}
}
