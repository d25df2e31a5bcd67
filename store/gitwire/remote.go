package gitwire

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"sync"
	"time"

	"cairn/store"
)

// A Remote is one repository elsewhere. It keeps what the host can do and warm
// connections. Safe for concurrent use.
//
// What costs how many round trips, on a warm connection:
//
//	Push                          1
//	Refs                          1
//	Fetch of Objects              1
//	Fetch of what refs name       2, one of which lists them
//	Wait                          1, that takes as long as nothing happens
//
// It is more where a host speaks no protocol v2, or where the histories on both
// sides have so many ends that it takes several questions to find what they share.
//
// Over HTTP the connection is warm when the RoundTripper has an idle one. Over SSH
// and git:// a few sessions are opened ahead once a service has been used; they are
// renewed each minute for ten minutes after the last use. What a host can do over HTTP is
// asked again after an hour for fetches, and for pushes when one needs more or has failed.
type Remote struct {
	client *Client
	url    string // redacted
	wire   transport

	settling sync.WaitGroup // conversations whose end nobody waits for
}

// Remote returns the repository at a URL. Nothing is sent yet. The caller closes it.
func (c *Client) Remote(rawURL string) (*Remote, error) {
	u, err := parseRemote(rawURL)
	if err != nil {
		return nil, fmt.Errorf("remote %s: %w", redacted(rawURL), err)
	}
	var wire transport
	switch u.Scheme {
	case "ssh":
		wire, err = newSSHTransport(c, u)
	case "git":
		wire, err = newDaemonTransport(c, u)
	default:
		wire, err = newHTTPTransport(c, u)
	}
	if err != nil {
		return nil, fmt.Errorf("remote %s: %w", redacted(rawURL), err)
	}
	return &Remote{client: c, url: redacted(rawURL), wire: wire}, nil
}

// Close ends the connections and what is under way on them, and waits for that.
func (r *Remote) Close() error {
	r.wire.close()
	r.settling.Wait()
	return nil
}

// String is the URL without a password.
func (r *Remote) String() string { return r.url }

// Abilities are what a host offers beyond the plain protocol.
type Abilities struct {
	Filter  bool // FetchRequest.Filter
	Shallow bool // FetchRequest.Depth and Shallow
	WantAny bool // FetchRequest.Objects that no ref names
	Wait    bool // Remote.Wait

	// Of pushes; all false where this user may not push.
	Push        bool // there is a way to push that compares old values
	Atomic      bool // several commands, all or none
	DeleteRefs  bool
	PushOptions bool
}

// Able returns what the host can do. What it has said before is not asked again.
func (r *Remote) Able(ctx context.Context) (Abilities, error) {
	var a Abilities
	err := r.able(ctx, &a)
	if err != nil {
		return a, fmt.Errorf("ask %s what it can do: %w", r, err)
	}
	return a, nil
}

func (r *Remote) able(ctx context.Context, a *Abilities) error {
	w, err := r.wire.open(ctx, fetchService, false)
	if err != nil {
		return err
	}
	a.Filter, a.Shallow = w.canFetch("filter"), w.canFetch("shallow")
	a.WantAny = w.version == 2 || w.can("allow-any-sha1-in-want") || w.can("allow-reachable-sha1-in-want")
	a.Wait = w.can(waitCommand)
	w.close()

	w, err = r.wire.open(ctx, pushService, false)
	var said *RemoteError
	switch {
	case errors.Is(err, fs.ErrPermission), errors.Is(err, fs.ErrNotExist), errors.Is(err, ErrUnauthorized), errors.As(err, &said):
		return nil
	case err != nil:
		return err
	}
	defer w.close()
	if w.comparesOld() != nil || !w.can("report-status") {
		return nil
	}
	a.Push, a.Atomic, a.DeleteRefs, a.PushOptions = true, w.can("atomic"), w.can("delete-refs"), w.can("push-options")
	return nil
}

// Refs lists the refs, sorted by name, those that begin with one of the
// prefixes or all. HEAD is among them if it is asked for, with its Target when
// the remote tells it.
func (r *Remote) Refs(ctx context.Context, prefixes ...string) ([]store.Ref, error) {
	var refs []store.Ref
	err := r.read(ctx, true, func(w *remoteWire) (err error) {
		refs, err = w.listRefs(prefixes)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list refs of %s: %w", r, err)
	}
	return refs, nil
}

// read has a conversation with upload-pack. One that leans on what was kept and
// breaks before any answer is had once more, from the beginning.
func (r *Remote) read(ctx context.Context, listing bool, talk func(*remoteWire) error) error {
	for {
		w, err := r.wire.open(ctx, fetchService, listing)
		if err != nil {
			return err
		}
		err = talk(w)
		again := w.kept && !w.heard
		if err == nil {
			w.finish()
		}
		w.close()
		if err == nil || !again || ctx.Err() != nil {
			return err
		}
		r.wire.forget(fetchService)
	}
}

// listRefs returns the remote's refs, sorted. In protocol v2 they have to be
// asked for.
func (w *remoteWire) listRefs(prefixes []string) ([]store.Ref, error) {
	refs := w.refs
	if w.version == 2 {
		var err error
		if refs, err = w.lsRefs(prefixes); err != nil {
			return nil, err
		}
	}
	refs = slices.DeleteFunc(slices.Clone(refs), func(r store.Ref) bool { return !listed(r.Name, prefixes) })
	slices.SortFunc(refs, func(a, b store.Ref) int { return strings.Compare(a.Name, b.Name) })
	return refs, nil
}

// lsRefs runs the command ls-refs (gitprotocol-v2, "ls-refs").
func (w *remoteWire) lsRefs(prefixes []string) ([]store.Ref, error) {
	if !w.can("ls-refs") {
		return nil, fmt.Errorf("the remote cannot list its refs: %w", errors.ErrUnsupported)
	}
	r, err := w.askV2("ls-refs", func(p *pktWriter) {
		p.line("symrefs\n")
		for _, prefix := range prefixes {
			p.linef("ref-prefix %s\n", prefix)
		}
	})
	if err != nil {
		return nil, w.wrong(err)
	}
	refs, err := w.readRefs(r)
	if err != nil {
		return nil, w.wrong(err)
	}
	return refs, nil
}

// readRefs reads a list of refs up to the flush.
func (w *remoteWire) readRefs(r *pktReader) ([]store.Ref, error) {
	var refs []store.Ref
	bytes := 0
	for {
		kind, line, err := w.line(r)
		if err != nil {
			return nil, err
		}
		if kind == pktFlush {
			return refs, nil
		}
		if bytes += len(line); bytes > maxRemoteBytes || len(refs) == maxRemoteRefs {
			return nil, fmt.Errorf("more than %d refs or %d bytes of them", maxRemoteRefs, maxRemoteBytes)
		}
		ref, err := parseListed(line)
		if err != nil {
			return nil, err
		}
		refs = append(refs, ref)
	}
}

// parseListed takes "hash name" and attributes, of which the target of
// a symbolic ref matters.
func parseListed(line string) (store.Ref, error) {
	fields := strings.Fields(line)
	if len(fields) < 2 {
		return store.Ref{}, errors.New("malformed list of refs")
	}
	h, ok := parseHash(fields[0])
	if !ok {
		return store.Ref{}, errors.New("malformed list of refs")
	}
	ref := store.Ref{Name: fields[1], Hash: h}
	for _, attribute := range fields[2:] {
		if target, ok := strings.CutPrefix(attribute, "symref-target:"); ok {
			ref.Target = target
		}
	}
	return ref, checkRemoteRef(ref)
}

// patience is for how long a call waits for the remote to say the last of what it
// has to say, when the outcome is known: its hooks may run for long.
const patience = 100 * time.Millisecond

// longest is for how long a remote is listened to whose hooks run on. It is a bound on how
// much can pile up with one that never ends.
const longest = 10 * time.Minute

// settle reads the end of a conversation whose outcome is known, so that hooks that
// run at the remote are not cut off. It waits for a moment, so that the connection
// is free for what comes next; then the rest goes on without the caller.
func (r *Remote) settle(w *remoteWire, rest func() error) {
	w.detach()
	end := time.AfterFunc(longest, w.abort)
	done := make(chan struct{})
	r.settling.Go(func() {
		defer close(done)
		defer end.Stop()
		_ = rest() // the refs have moved, whatever else the remote has to say
		w.finish()
		w.close()
	})
	late := time.NewTimer(patience)
	defer late.Stop()
	select {
	case <-done:
	case <-late.C:
		w.progress.mute()
	}
}
