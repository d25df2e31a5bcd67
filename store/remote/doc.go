// Package remote keeps a repository at a host somewhere else: a process that has
// a Backend of this package needs no disk. Objects and refs are read from this
// side, and a Commit is a push.
//
//	host, err := client.Remote("https://forge.example/household.git")
//	b, err := remote.Open(ctx, remote.Options{Host: host, Objects: …})
//	repo := store.New(b, store.Options{})
//
// # Writing
//
// A Commit pushes what the host does not have yet, with the caller's old values, and
// returns when the host has said that the refs have moved: one round trip. What
// the answer may be:
//
//   - ok: the objects are at the host and the refs have moved.
//   - Somebody else was first: *store.ConflictError, once the new value has been
//     fetched, so that the next try stands on it.
//   - The host declines (a hook, a protected branch): *store.RefusedError with its words.
//   - The host is away: ErrAway, at once and without dialling while that is known.
//   - The answer is lost: the Commit looks at the refs. When they hold the new commits
//     the push has landed. When they have gone elsewhere it has not and never will. When they
//     are as before it may still come: the very same commits are pushed again, and
//     the host lets one of the two through. What cannot be found out in time
//     is gitwire.ErrInDoubt and store.ErrTemporary.
//
// # Reading
//
// Reads see the last good snapshot: what was committed here, and what others
// have pushed, as soon as it has been noticed and fetched. They go on while the
// host is away, as far as objects are on this side. History is shallow unless it is asked for,
// and missing parts are fetched when somebody looks at them.
//
// # Other writers
//
// Replicas on one repository see each other's commits within Options.Poll, at once
// when the host is a gitwire server, and after Wake. A branch that has lost
// commits at the host (a force-push) is not followed, nor is one that cannot be had here: see
// RewoundError. The others are.
//
// # Caveats
//
// A branch that was deleted and made again is a new branch: nothing is compared. Refs
// outside refs/heads/ go wherever the host says.
//
// A commit of several refs needs a host that knows atomic pushes. One that is killed between
// two of them, or whose disk is full there, has carried out some: the rest is pushed then. Where
// somebody else has come between, or has taken some out again, the commit is in doubt, and is no conflict: to
// make the change again would make some of it twice.
//
// When the answer to a push is lost and somebody takes commits out of the ref before anybody looks, whatever is
// left of the push shows that all of it had landed, and the ref is reported as rewound. When nothing is left the
// push is taken never to have landed, and its changes are made again on what is there.
//
// An ErrInDoubt has been reported, and the push lands all the same: the writer should look
// before a second try, if its change is not one that can be made twice.
package remote
