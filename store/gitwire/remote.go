package gitwire

import (
	"context"
	"errors"
	"fmt"

	"cairn/store"
)

// A Remote is one repository elsewhere. It keeps what the host can do and warm
// connections, so that a push on a warm connection is one round trip. Safe for
// concurrent use.
type Remote struct {
	client *Client
	url    string
}

// Remote returns the repository at a URL. Nothing is sent yet.
func (c *Client) Remote(rawURL string) (*Remote, error) {
	if _, err := parseRemote(rawURL); err != nil {
		return nil, fmt.Errorf("remote %s: %w", redacted(rawURL), err)
	}
	return &Remote{client: c, url: rawURL}, nil
}

// Close ends the connections and what is under way on them.
func (r *Remote) Close() error { return nil }

// String is the URL without a password.
func (r *Remote) String() string { return redacted(r.url) }

// Abilities are what a host offers beyond the plain protocol.
type Abilities struct {
	Filter  bool // FetchRequest.Filter
	Shallow bool // FetchRequest.Depth and Shallow
	WantAny bool // FetchRequest.Objects that no ref names
	Wait    bool // Remote.Wait

	// Of pushes; all false where this user may not push.
	Atomic      bool // several commands, all or none
	DeleteRefs  bool
	PushOptions bool
}

// Able returns what the host can do.
func (r *Remote) Able(ctx context.Context) (Abilities, error) {
	w, err := r.client.open(ctx, r.url, "git-upload-pack", 2)
	if err != nil {
		return Abilities{}, fmt.Errorf("ask %s what it can do: %w", r, err)
	}
	defer w.close()
	return Abilities{}, nil
}

// Refs lists the refs.
func (r *Remote) Refs(ctx context.Context, prefixes ...string) ([]store.Ref, error) {
	return r.client.Refs(ctx, r.url, prefixes...)
}

// Fetched is what a fetch brought.
type Fetched struct {
	Refs []store.Ref // as listed; none when FetchRequest.Objects were asked for

	Shallow   []store.Hash // commits that Into now has without their parents, and did not have so before
	Unshallow []store.Hash // commits whose parents Into now has
}

// Fetch brings objects into FetchRequest.Into.
func (r *Remote) Fetch(ctx context.Context, f FetchRequest) (*Fetched, error) {
	if f.Depth != 0 || len(f.Shallow) > 0 || f.Filter != "" || len(f.Objects) > 0 || f.Partial {
		return nil, errors.ErrUnsupported
	}
	refs, err := r.client.Fetch(ctx, r.url, f)
	if err != nil {
		return nil, err
	}
	return &Fetched{Refs: refs}, nil
}

// ErrInDoubt is what errors of a push are when it may have been carried out: the
// answer was lost. The refs will tell. An error that is not ErrInDoubt says that certainly
// no ref has moved but those which a *RejectedError does not name.
var ErrInDoubt = errors.New("the push may or may not have been carried out")

// Push moves refs at the remote.
func (r *Remote) Push(ctx context.Context, p PushRequest) error {
	if p.From != nil {
		return errors.ErrUnsupported
	}
	return r.client.Push(ctx, r.url, p)
}

// Wait returns when the refs with one of the prefixes differ from those known, with
// the refs as they are then. A host that cannot wait gives errors.ErrUnsupported;
// one that has too many waiting already store.ErrTemporary.
func (r *Remote) Wait(ctx context.Context, prefixes []string, known []store.Ref) ([]store.Ref, error) {
	return nil, errors.ErrUnsupported
}
