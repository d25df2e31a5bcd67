// Package pack reads, writes, merges and receives git packs (gitformat-pack(5)):
// version 2 packs of SHA-1 objects, and their version 2 indexes.
//
// # Reading
//
// An Index finds an object's offset; a Pack reads the object there:
//
//	ix, err := pack.OpenIndex(idxBytes)
//	p, err := pack.Open(file, size, ix, pack.NewBaseCache(32<<20))
//	off, ok := ix.Find(hash)
//	obj, err := p.Object(off)
//
// Object returns content of at most MaxObject bytes, Open streams any,
// Stat reads headers only, Entry returns the object as it lies in the pack.
// Index and Pack are safe for concurrent use; a BaseCache is shared by all packs of
// a repository and bounds what they keep in memory.
//
// # Writing
//
// A Writer writes the objects it is given, in that order, and returns what
// AppendIndex needs:
//
//	w := pack.NewWriter(file, uint32(len(objs)), pack.Stored)
//	for _, o := range objs {
//		if _, err := w.Object(o); err != nil { … }
//	}
//	sum, entries, err := w.Close()
//	idx := pack.AppendIndex(nil, entries, sum)
//
// An object whose Base was written before it to the same pack becomes a delta.
//
// # Merging
//
// Merge writes one pack from the objects of several: the caller says which
// objects, in which order, and names for each the object that it is probably a
// small edit of (the tree of the same folder one commit earlier). Deltas that
// already lie in a source pack are copied when their base has been written,
// others are made, chains are bounded by MaxDepth, what was Stored is compressed,
// and what was damaged is found by its CRC. Memory does not depend on the size
// of the packs: about 100 bytes for each object, and what their BaseCache keeps.
//
// # Receiving
//
// Receive takes one pack from a stream that nobody vouches for. It bounds memory and
// work, checks every checksum, hash (with collision detection) and format, also that of
// .gitmodules and .gitattributes, resolves every delta and completes a thin pack, so that
// the result can be kept as it is.
//
// # Caveats
//
// Objects beyond MaxObject that are deltas (git makes such up to core.bigFileThreshold,
// 512 MiB) are read with their bases in memory, one at a time. Larger ones are
// refused. Merge writes what is beyond 16 MiB whole.
package pack
