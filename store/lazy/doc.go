// Package lazy keeps the objects of a repository that lies somewhere else: as
// many as fit within a bound, in memory or in a folder.
//
//	s := lazy.New(lazy.Options{Bytes: 64 << 20, Fetch: ask})
//	defer s.Close()
//	o, err := s.Object(ctx, hash) // here, or asked for elsewhere
//
// What a Store holds is elsewhere too, so it forgets what was not used lately
// when room is needed, and asks for it again when it is missed. Fetch asks; what
// it asked for arrives through the receiver that Fetched returns, or through Put.
//
// # Misses
//
// Those who miss the same object wait for the same answer; what is missed while
// several requests are under way goes into one. A missing object brings what
// follows it in its folder along, more of it the longer somebody reads on,
// bounded in number and bytes. Who finds what is here never waits for
// who does not.
//
// An object that does not exist elsewhere either is fs.ErrNotExist; it is asked for at
// every miss. To look at names that strangers supply, and to find out
// what need not be sent, use Held, which never asks.
//
// # What is not elsewhere yet
//
// Objects that came through Receive (a push by somebody to this service) stay until
// Promise says that they are elsewhere, or Forget that they need not be.
//
// # Memory
//
// Objects are kept as packs hold them: compressed, and as deltas. Options.Bytes counts
// everything that stays: contents, what a map and an allocation cost beside them, packs
// that are being received, and the trees that are kept unpacked. It does not count what
// one call needs while it lasts, nor garbage: Go lets a heap grow to twice what
// is in use unless the process sets a limit (GOMEMLIMIT).
//
// Without Fetch nothing can be had again and so nothing is forgotten. What does not
// fit is a *FullError then, before memory is taken for it.
//
// # A folder
//
// With Options.Folder, everything that arrives lies in that folder, and what is there
// at the start is used. The folder drops old packs when it is over its own bound,
// and never looks for what nothing refers to: in it, absent does not mean lost.
package lazy
