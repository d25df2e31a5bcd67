// Package store is a branchable key-value store that is a git repository: keys
// are paths, values are files, every change is a commit.
//
// A Repo stands on a Backend (store/gitdir on disk, store/mem in memory) and
// has Branches. A Tree is a snapshot of a branch, immutable and an fs.FS. A Tx
// is a snapshot that is being edited, inside an Update:
//
//	repo := store.New(backend, store.Options{})
//	site := repo.Branch("site/www/main")
//
//	who := store.Change{Author: alice, Message: "correct the opening hours"}
//	err := site.Update(ctx, who, func(tx *store.Tx) error {
//		return tx.Put("contact/index.html", page)
//	})
//
//	tree, err := site.Tree(ctx)
//	page, etag, err := tree.Blob("contact/index.html")
//
// When Update returns nil, the commit is durable and the branch has moved.
// Repo.Update does the same for several branches, all or none. Readers never
// wait for writers, nor see half a change: they have a Tree.
//
// # What git gives
//
// A file's hash is its ETag, a folder's hash changes when anything below it
// does, and Tree.Diff finds out what changed without looking at what did not.
// To copy is to name a hash again (Tx.Link), which writes no content. Branch
// has the rest: Watch, Log of a path, At a time, Fork, Merge, Revert, and
// Reset, which is how to roll back.
//
// # Writers
//
// Updates of one branch run one after another; those of different branches at
// the same time. What is ready while the backend is busy becomes its next
// commit, together: one fsync for many, yet each update remains a git commit
// with its own author and message. When somebody else has moved a branch (a
// push, stock git), the functions of the updates concerned run again on the new
// state.
//
// # Memory
//
// Trees, small files and commits are cached up to Options.CacheBytes, whatever
// the repository's size. Bytes that reading methods return are shared with that
// cache unless the method says otherwise: nobody changes them.
//
// # Caveats
//
// The function of an Update may run several times. It must not update anything
// itself (ErrNested), and what it takes from its Tx is good until it returns.
//
// Each update rewrites the folders on its path, so folders of many thousand
// entries make writing slow; collections that grow without bound belong into a
// fan-out of folders.
//
// A tree that came by push may hold anything. Reading it is harmless: names
// that could lead out of it are not shown. But a symlink's target, a commit's
// dates and its author are whatever the pusher made them.
//
// Reading has no context, as fs.FS has none: it ends when the backend answers.
//
// A repository on a remote that is away, or on a full disk, gives ErrTemporary
// for updates; reading goes on.
package store
