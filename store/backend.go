package store

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"iter"

	"cairn/store/object"
)

// Hash names an object.
type Hash = object.Hash

// A Ref is a name such as refs/heads/site/www/main and the object it names.
// A symbolic ref has a Target and the Hash its target has, Zero while unborn.
type Ref struct {
	Name   string
	Hash   Hash
	Target string
}

// A RefChange moves one ref from Old to New. Zero as Old means that the ref
// must not exist, Zero as New deletes it.
type RefChange struct {
	Name     string
	Old, New Hash
}

// Objects reads immutable, content-addressed objects. An object that is not
// there gives an error that is fs.ErrNotExist. Safe for concurrent use.
type Objects interface {
	// Object returns a whole object. One larger than MaxObject gives
	// ErrTooLarge: Open reads those.
	Object(ctx context.Context, h Hash) (object.Object, error)
	// Stat returns type and size in bytes and reads as little as it can.
	Stat(ctx context.Context, h Hash) (object.Type, int64, error)
	// Open streams an object's content. The caller closes it.
	Open(ctx context.Context, h Hash) (io.ReadCloser, error)
}

// MaxObject is the largest object, in bytes, that Objects.Object returns.
const MaxObject = 64 << 20

// A Backend keeps objects and refs: on disk (gitdir), in memory (mem) or in a
// repository somewhere else. It is the only seam under Repo. Reading and
// writing are one interface, because a backend that must be told of the objects
// and of the refs together (one pack and one fsync; one push) cannot be
// built on two. Safe for concurrent use.
type Backend interface {
	Objects

	// Ref returns one ref; absent is fs.ErrNotExist. What this process
	// commits is seen at once, what others do to the same repository at
	// the latest 20 ms later.
	Ref(ctx context.Context, name string) (Ref, error)
	// Refs yields the refs whose names begin with prefix, sorted by name.
	Refs(ctx context.Context, prefix string) iter.Seq2[Ref, error]

	// Commit makes objs durable and then moves the refs: all of them or
	// none, also across a crash. When it returns nil, both have happened
	// and survive the loss of power. It compares every Old itself and
	// returns a *ConflictError when one differs; nothing has moved then.
	// Errors that are ErrTemporary (disk full, host away) leave nothing behind
	// and may be tried again.
	Commit(ctx context.Context, objs []object.Object, changes []RefChange) error

	// Wait returns when the ref differs from old (Zero: when it exists),
	// with the ref as it is then, or when ctx ends.
	Wait(ctx context.Context, name string, old Hash) (Ref, error)
}

// A Receiver is a Backend that takes whole packs from outside. gitdir and mem
// are Receivers.
type Receiver interface {
	// Receive reads one pack from r, checks checksums, hashes (with collision
	// detection) and each object's format, resolves deltas, and keeps the
	// result in quarantine: nobody else sees it. base supplies the objects
	// that a thin pack's deltas lean on; it decides what the sender may lean on.
	// Memory stays bounded whatever the pack declares.
	Receive(ctx context.Context, r io.Reader, base func(context.Context, Hash) (object.Object, error), lim Limits) (Quarantine, error)
}

// Limits bound what Receive accepts; zero fields mean the defaults.
type Limits struct {
	PackBytes   int64 // bytes of the pack as sent; default 2 GiB
	ObjectBytes int64 // bytes of one object, unpacked; default 1 GiB
	TotalBytes  int64 // bytes of all objects, unpacked; default 8 GiB
	Objects     int64 // number of objects; default 4 Mi
}

// A Quarantine holds the objects of one received pack, apart from the
// repository, until Keep or Discard. Objects reads only what the pack brought.
type Quarantine interface {
	Objects
	// All yields every object's name and type, in no order that matters.
	All() iter.Seq2[Hash, object.Type]
	// Keep makes the objects durable and part of the repository.
	Keep(ctx context.Context) error
	// Discard forgets them; after Keep it does nothing.
	Discard()
}

// A Packed is a Backend that can hand out objects as they lie in a pack, so
// that they can be sent without being unpacked.
type Packed interface {
	// Entry returns the object as it is stored. ok is false when it is not
	// stored in a form that a pack could hold; use Object or Open then.
	Entry(ctx context.Context, h Hash) (e Entry, ok bool, err error)
}

// An Entry is an object in the form in which a pack holds it.
type Entry struct {
	Type object.Type // the object's own type, never a delta's
	Size int64       // of the unpacked content; of the delta's instructions when Base is set
	Base Hash        // the object that the delta applies to, or Zero
	Data []byte      // the zlib stream of the content or of the delta; nil when long, read Reader then
	// Reader opens the zlib stream when Data is nil.
	Reader func() (io.ReadCloser, error)
}

// ErrTooLarge says that an object is larger than a limit.
var ErrTooLarge = errors.New("object is too large")

// ErrTemporary is what errors are that may go away by themselves: a full disk,
// a host that is away. Protocols answer 503, 451 or ng.
var ErrTemporary = errors.New("temporary storage error")

// A Replicated is a Backend whose refs other processes move, too, on the far side of
// a wire. Replica is a text that no other of them has: a Repo puts it into
// each of its commits, so that no two processes ever make the same commit
// and each knows its own again. It has no spaces.
type Replicated interface {
	Replica() string
}

// A RefusedError says that whoever keeps the repository does not let a ref move: a
// hook, a protected branch. It is fs.ErrPermission; the same change fares no
// better the next time.
type RefusedError struct {
	Ref    string
	Reason string // the keeper's words
}

func (e *RefusedError) Error() string { return "ref " + e.Ref + " was refused: " + e.Reason }

// Is implements what errors.Is asks for.
func (e *RefusedError) Is(target error) bool { return target == fs.ErrPermission }

// A ConflictError says that a ref was not what a change expected.
type ConflictError struct {
	Change RefChange
	Actual Hash // Zero when the ref does not exist
}

func (e *ConflictError) Error() string {
	return "ref " + e.Change.Name + " has moved: expected " + e.Change.Old.String() + ", is " + e.Actual.String()
}
