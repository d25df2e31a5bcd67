// Package object is what git objects look like to Cairn: blobs, trees,
// commits and tags as plain bytes and small structs, with the checks that
// `git fsck --strict` makes and nothing of how they are stored.
//
// Hash, Type and Mode are go-git's, so that values pass between the two
// without conversion.
package object

import (
	"crypto/sha1"
	"strconv"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/filemode"
)

type (
	// Hash names an object: the SHA-1 of its header and content.
	Hash = plumbing.Hash
	// Type is one of the four types below.
	Type = plumbing.ObjectType
	// Mode is what a tree entry is: one of the constants below.
	Mode = filemode.FileMode
)

// The four types of object.
const (
	TypeCommit = plumbing.CommitObject
	TypeTree   = plumbing.TreeObject
	TypeBlob   = plumbing.BlobObject
	TypeTag    = plumbing.TagObject
)

// The modes a tree entry may have.
const (
	ModeDir        = filemode.Dir        // 040000, another tree
	ModeFile       = filemode.Regular    // 100644
	ModeExecutable = filemode.Executable // 100755
	ModeSymlink    = filemode.Symlink    // 120000, the blob is the target
	ModeSubmodule  = filemode.Submodule  // 160000, a commit of another repository
)

// Zero is the hash that names no object; as a ref's value it means absence.
var Zero Hash

// An Object is a whole object in memory. Data is shared: nobody changes it.
type Object struct {
	Type Type
	Data []byte

	// Base, when it is not Zero, names an object of the same type that this
	// one is a small edit of. It is a hint to whoever stores the object.
	Base Hash

	// Name, when it is not Zero, is the object's hash, which whoever made the
	// object has computed already. Only bytes of our own making carry one.
	Name Hash
}

// Hash returns the object's name, and computes it unless it is known. It trusts the bytes: those from outside
// are hashed with collision detection where they are received.
func (o Object) Hash() Hash {
	if !o.Name.IsZero() {
		return o.Name
	}
	h := sha1.New()
	var head [32]byte
	h.Write(AppendHeader(head[:0], o.Type, int64(len(o.Data))))
	h.Write(o.Data)
	var sum Hash
	h.Sum(sum[:0])
	return sum
}

// AppendHeader appends the bytes that git hashes before an object's content.
func AppendHeader(dst []byte, t Type, size int64) []byte {
	dst = append(dst, t.String()...)
	dst = append(dst, ' ')
	dst = strconv.AppendInt(dst, size, 10)
	return append(dst, 0)
}
