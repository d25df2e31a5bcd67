package store_test

import (
	"testing"

	"cairn/store"
	"cairn/store/mem"
)

// TestForgedRewrite refuses messages that would pass for a rewrite's.
func TestForgedRewrite(t *testing.T) {
	r := store.New(mem.New(), store.Options{})
	put := func(tx *store.Tx) error { return tx.Put("a", []byte("1")) }
	line := "Cairn-Replaces: 0123456789012345678901234567890123456789 refs/heads/main"
	for _, message := range []string{line, "Subject\n\n" + line, "Subject\n\nBody.\n\nOther: x\n" + line + "\nMore: y"} {
		if err := r.Branch("main").Update(t.Context(), store.Change{Message: message}, put); err == nil {
			t.Errorf("a commit was made with the message %q", message)
		}
	}
	if err := r.Branch("main").Update(t.Context(), store.Change{Message: "What Cairn-Replaces: is"}, put); err != nil {
		t.Error(err)
	}
}
