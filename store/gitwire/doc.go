// Package gitwire speaks the git protocol, both ends of it: upload-pack and
// receive-pack for stock git, over smart HTTP and SSH, and a client that fetches
// and pushes, over these and git://.
//
//	http.Handle("/", &gitwire.HTTPHandler{Open: func(w http.ResponseWriter, r *http.Request, repo string, write bool) (*gitwire.View, error) {
//		return &gitwire.View{Backend: backend, Refs: refsOf(r, repo), Head: "refs/heads/main"}, nil
//	}})
//
// # Views
//
// A [View] is what one user may see of a repository through one URL. Nothing else
// exists for that user. Stock git sends any object whose hash is named; here each
// want (of commits, and of the trees and blobs that a partial clone asks for later),
// each have that is acknowledged, each base of a thin pack and each object that a
// push leaves out must be reachable from the refs of the view. An object that is
// kept for somebody else and one that is not kept at all give the same answer
// after the same search.
//
// # Fetching
//
// Protocols v0, v1 and v2 (gitprotocol-pack, gitprotocol-v2), with shallow clones,
// the filters blob:none, blob:limit, tree, object:type and combine, thin packs,
// include-tag and wait-for-done. Not offered: want-ref, packfile-uris, object-info,
// sideband-all, bundle-uri and sparse filters.
//
// What to send is found by comparing trees with those of the parent commits, so a
// fetch costs what changed. Objects are sent as they are stored; blobs are not
// unpacked, and no deltas are searched for. A request takes about 75 bytes of
// memory for each object it sends and 150 for each commit it walks over, and
// fixed buffers beside that.
//
// # Pushing
//
// Old values are compared; a pack waits in quarantine until its objects have been
// checked for form, size and connectivity and until the View's functions have
// agreed; then all refs move together or, without atomic, those that may.
//
// # Remotes
//
// A [Client] reaches repositories elsewhere; a [Remote] is one of them:
//
//	remote, err := client.Remote("https://git.example.org/household.git")
//	got, err := remote.Fetch(ctx, gitwire.FetchRequest{Into: backend, Have: refs})
//	err = remote.Push(ctx, gitwire.PushRequest{Commands: commands, Objects: objs})
//
// It keeps what the host can do and warm connections, so that a push is one round trip.
// What a push expects of a ref is what the caller says and the host compares, never
// what an advertisement says. Its errors tell what certainly has not happened
// from what may have: [ErrInDoubt]. A POST is never repeated behind the caller's back.
//
// Fetches may be shallow, leave objects out, and name objects by hash. A push from a store is
// streamed. A host that is ours lets clients wait for refs to change, by a command of
// protocol v2 that git passes over (upload_wait.go).
//
// # Bounds
//
// Lengths are checked before anything is allocated; numbers of lines, sizes of
// requests and the work of a search are bounded by the constants beside the code. A
// client that stands still for [HTTPHandler.Stall] is dropped, and work ends with
// its context. A panic ends one request.
//
// # Caveats
//
// A have is judged by committer dates: a commit more than a day older than a child of it
// may go unacknowledged, which costs bytes and nothing else. Searching for a want that
// no ref reaches walks the whole history that the view shows; an HTTPHandler keeps
// such searches, up to about 50 MB, until the refs have moved.
//
// A host that stops to support atomic pushes while a Remote believes otherwise, over HTTP,
// may carry out a part of one; the error then is ErrNotAtomic and says which. Over
// SSH and git:// a session tells at its beginning what holds for it.
//
// # What of go-git is used
//
// The hash type and the names of capabilities. Its pkt-line scanner cannot
// tell 0001 and 0002 from data and takes any line that begins with ERR for an error;
// packp knows no protocol v2, reads no filters and sets no bounds to a request; its servers
// refuse thin packs and move refs whose old value was wrong.
package gitwire
