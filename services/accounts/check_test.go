package accounts

import (
	"testing"

	"cairn/store"
	"cairn/store/object"
)

func putFile(t testing.TB, b *store.Branch, user, text string) {
	t.Helper()
	must(t, b.Update(t.Context(), store.Change{Author: by, Message: "by hand\n"}, func(tx *store.Tx) error {
		return tx.Put(file(user), []byte(text))
	}))
}

func TestCheck(t *testing.T) {
	key := keyLine(t, "")
	const admin = "admin = true\n"
	for what, c := range map[string]struct {
		files map[string]string
		ok    bool
	}{
		"one administrator":  {map[string]string{"users/alice.toml": admin}, true},
		"two users":          {map[string]string{"users/alice.toml": admin, "users/bob.toml": `name = "Bob"`}, true},
		"nobody":             {map[string]string{}, false},
		"no administrator":   {map[string]string{"users/bob.toml": ""}, false},
		"admin is text":      {map[string]string{"users/alice.toml": `admin = "true"`}, false},
		"unknown key":        {map[string]string{"users/alice.toml": admin + "shell = true"}, false},
		"not TOML":           {map[string]string{"users/alice.toml": admin, "users/bob.toml": "x"}, false},
		"a name":             {map[string]string{"users/alice.toml": admin, "users/Bob.toml": ""}, false},
		"not a .toml":        {map[string]string{"users/alice.toml": admin, "users/bob": ""}, false},
		"a folder":           {map[string]string{"users/alice.toml": admin, "users/bob.toml/x": ""}, false},
		"another file":       {map[string]string{"users/alice.toml": admin, "README": ""}, false},
		"users is a file":    {map[string]string{"users": admin}, false},
		"an address each":    {map[string]string{"users/alice.toml": admin + `addresses = ["alice@example.org", "Alice@example.org"]`, "users/bob.toml": `addresses = ["bob@example.org"]`}, true},
		"an address twice":   {map[string]string{"users/alice.toml": admin + `addresses = ["us@example.org"]`, "users/bob.toml": `addresses = ["Us@Example.org"]`}, false},
		"the same key twice": {map[string]string{"users/alice.toml": admin + `ssh_keys = ["` + key + `"]`, "users/bob.toml": `ssh_keys = ["` + key + ` x"]`}, false},
	} {
		b := newBranch()
		must(t, b.Update(t.Context(), store.Change{Author: by, Message: "x\n"}, func(tx *store.Tx) error {
			if err := tx.Put("users/x", nil); err != nil { // so that there is a commit
				return err
			}
			if err := tx.Remove("users/x"); err != nil {
				return err
			}
			for name, text := range c.files {
				if err := tx.Put(name, []byte(text)); err != nil {
					return err
				}
			}
			return nil
		}))
		tree, err := b.Tree(t.Context())
		if len(c.files) == 0 {
			tree, err = &store.Tree{}, nil
		}
		must(t, err)
		if err := Check(tree); (err == nil) != c.ok {
			t.Errorf("%s: got %v, want it to pass: %v", what, err, c.ok)
		}
	}
}

// A symlink is not a record, whatever its target says.
func TestCheckSymlink(t *testing.T) {
	b := newBranch()
	must(t, b.Update(t.Context(), store.Change{Author: by, Message: "x\n"}, func(tx *store.Tx) error {
		return tx.PutMode("users/alice.toml", object.ModeSymlink, []byte("admin = true"))
	}))
	tree, err := b.Tree(t.Context())
	must(t, err)
	if err := Check(tree); err == nil {
		t.Error("a symlink passes")
	}
	if users, err := New(b).Users(t.Context()); len(users) != 0 || err != nil {
		t.Errorf("users: got %v, %v, want none", users, err)
	}
}
