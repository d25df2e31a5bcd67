package gitwire

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"cairn/store"
)

// waitCommand is a command of protocol v2 that git does not have, and the
// capability that announces it. It answers as soon as the refs that begin with
// one of the prefixes are not those that the client knows, or when time is up:
//
//	command=cairn-wait
//	0001
//	known <SHA-256 in hex of "<hash> <name>\n" for each ref, sorted by name>
//	seconds <how long to wait at most>
//	ref-prefix <prefix>            (any number; none means all)
//	0000
//
// with the line "refs" and the refs as ls-refs has them, without attributes; or with
// "busy" when too many wait already. A flush ends either.
const waitCommand = "cairn-wait"

// The first lines of answers.
const (
	waitRefs = "refs"
	waitBusy = "busy"
)

const (
	maxWait    = 50 * time.Second // proxies give up after a minute
	maxWaiters = 256              // of one server
	waitLook   = 100 * time.Millisecond
)

// A waitRoom bounds how many clients of a server wait at a time. The zero value is
// ready; it is safe for concurrent use.
type waitRoom struct {
	mu      sync.Mutex
	waiting int
	servers map[*http.Server]chan struct{} // closed when one begins to shut down
}

// enter takes a place; false when there is none.
func (w *waitRoom) enter() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.waiting >= maxWaiters {
		return false
	}
	w.waiting++
	return true
}

func (w *waitRoom) leave() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.waiting--
}

// closing is closed when the server of a request begins to shut down: that waits
// for requests to end, and does not tell their contexts.
func (w *waitRoom) closing(ctx context.Context) <-chan struct{} {
	server, ok := ctx.Value(http.ServerContextKey).(*http.Server)
	if !ok {
		return nil
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	shut, ok := w.servers[server]
	if !ok {
		if w.servers == nil {
			w.servers = make(map[*http.Server]chan struct{})
		}
		shut = make(chan struct{})
		w.servers[server] = shut
		server.RegisterOnShutdown(sync.OnceFunc(func() { close(shut) }))
	}
	return shut
}

// wait answers the command.
func (u *upload) wait(ctx context.Context, args bool) error {
	var prefixes []string
	known := ""
	limit := maxWait
	err := u.arguments(args, func(line string) error {
		word, arg, _ := strings.Cut(line, " ")
		switch word {
		case "known":
			if len(arg) != 2*sha256.Size {
				return badRequest("%s: malformed digest %.80q", waitCommand, arg)
			}
			known = arg
		case "seconds":
			n, err := strconv.ParseUint(arg, 10, 31)
			if err != nil || n == 0 {
				return badRequest("%s: malformed time %.80q", waitCommand, arg)
			}
			limit = min(limit, time.Duration(n)*time.Second)
		case "ref-prefix":
			if len(prefixes) == maxPrefixes {
				return badRequest("%s: more than %d prefixes", waitCommand, maxPrefixes)
			}
			prefixes = append(prefixes, arg)
		default:
			return badRequest("%s: unexpected line: %.256q", waitCommand, line)
		}
		return nil
	})
	if err != nil {
		return err
	}
	if u.stateless {
		// The end of the request: only then does the server notice when the client leaves.
		_, _ = io.CopyN(io.Discard, u.r.rest(), 1)
	}
	u.close() // others may use the search
	if !u.v.waits.enter() {
		u.w.line(waitBusy + "\n")
		u.w.flush()
		return u.w.send()
	}
	defer u.v.waits.leave()
	refs, err := u.changed(ctx, prefixes, known, limit)
	if err != nil {
		return err
	}
	u.w.line(waitRefs + "\n")
	for _, ref := range refs {
		u.w.linef("%s %s\n", ref.Hash, ref.Name)
	}
	u.w.flush()
	return u.w.send()
}

// changed returns the refs when they are not the known ones any more, or time is up.
func (u *upload) changed(ctx context.Context, prefixes []string, known string, limit time.Duration) ([]store.Ref, error) {
	late := time.NewTimer(limit)
	defer late.Stop()
	look := time.NewTicker(waitLook)
	defer look.Stop()
	closing := u.v.waits.closing(ctx)
	var looked []store.Ref // u.refs when they were last compared
	var refs []store.Ref
	for {
		if looked == nil || !slices.Equal(u.refs, looked) {
			looked, refs = u.refs, u.listed(prefixes)
			if digestRefs(refs) != known {
				return refs, nil
			}
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-closing:
			return refs, nil
		case <-late.C:
			return refs, nil
		case <-look.C:
		}
		var err error
		if u.refs, err = shownRefs(ctx, u.v); err != nil {
			return nil, err
		}
	}
}

// listed are the shown refs that begin with one of the prefixes, HEAD among them.
func (u *upload) listed(prefixes []string) []store.Ref {
	var refs []store.Ref
	if head, ok := findRef(u.refs, u.v.Head); ok && u.v.Head != "" && listed("HEAD", prefixes) {
		refs = append(refs, store.Ref{Name: "HEAD", Hash: head.Hash})
	}
	for _, ref := range u.refs {
		if listed(ref.Name, prefixes) {
			refs = append(refs, ref)
		}
	}
	return refs
}

// digestRefs is what the command calls known, of refs in any order. HEAD before it
// has been born is none.
func digestRefs(refs []store.Ref) string {
	refs = slices.DeleteFunc(slices.Clone(refs), func(r store.Ref) bool { return r.Hash.IsZero() })
	slices.SortFunc(refs, func(a, b store.Ref) int { return strings.Compare(a.Name, b.Name) })
	sum := sha256.New()
	for _, ref := range refs {
		fmt.Fprintf(sum, "%s %s\n", ref.Hash, ref.Name)
	}
	return hex.EncodeToString(sum.Sum(nil))
}
