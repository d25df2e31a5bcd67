package store_test

import (
	"context"
	"fmt"

	"cairn/store"
	"cairn/store/mem"
	"cairn/store/object"
)

func Example() {
	ctx := context.Background()
	repo := store.New(mem.New(), store.Options{})
	site := repo.Branch("site/www/main")
	alice := object.Signature{Name: "Alice", Email: "alice@example.org"}

	for _, hours := range []string{"9 to 5", "10 to 4"} {
		change := store.Change{Author: alice, Message: "open from " + hours}
		err := site.Update(ctx, change, func(tx *store.Tx) error {
			return tx.Put("hours.txt", []byte(hours))
		})
		if err != nil {
			fmt.Println(err)
		}
	}
	for rev, err := range site.Log(ctx, "hours.txt") {
		if err != nil {
			fmt.Println(err)
			break
		}
		tree, err := repo.Tree(ctx, rev.Hash)
		if err != nil {
			fmt.Println(err)
			break
		}
		hours, _, err := tree.Blob("hours.txt")
		fmt.Printf("%s: %s: %s %v\n", rev.Author.Name, hours, rev.Message[:len("open from")], err)
	}
	// Output:
	// Alice: 10 to 4: open from <nil>
	// Alice: 9 to 5: open from <nil>
}
