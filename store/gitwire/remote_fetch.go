package gitwire

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"

	"cairn/store"
	"cairn/store/object"
)

// A FetchRequest says what to fetch.
type FetchRequest struct {
	// Into takes the objects.
	Into store.Receiver

	// Objs reads what Into holds: what it lacks is fs.ErrNotExist at once, it does not
	// fetch by itself. Nil means Into, which has to be a store.Objects then.
	Objs store.Objects

	// Have are refs of Into. The remote is told what they reach, so as not to
	// send it again, and what it sends may lean on that: on nothing else that Into
	// holds (unless Partial), because a remote could otherwise make private objects part of
	// what is published.
	Have []store.Ref

	// Objects are fetched by hash, in one round trip and without listing refs:
	// Prefixes and Want are not looked at. A commit comes with all its history,
	// a tree with all that is below, apart from what Have reaches and Filter leaves out.
	// One that the remote lacks is a *MissingError, and nothing is fetched.
	Objects []store.Hash

	Prefixes []string // which refs to list, by the beginning of their names; none means all

	// Want picks what is fetched with all its history from what is listed; nil means
	// all of it.
	Want func([]store.Ref) []store.Hash

	// Depth is how many commits of history to have, counted from each that is
	// wanted; 0 leaves that as it is, FullDepth makes it whole.
	Depth int

	// Shallow are the commits that Into has without their parents.
	Shallow []store.Hash

	// Filter leaves objects out, as git rev-list --filter: "blob:none",
	// "blob:limit=100k", "tree:0". What Objects names comes all the same. It goes
	// with Partial.
	Filter string

	// Partial says that Into holds nothing but what the remote has, and that what
	// is absent is promised: it can be fetched by hash when it is needed. The check for
	// completeness stops there, and the base of a delta that Into lacks is asked for.
	Partial bool
}

// FullDepth is the Depth of a history that ends nowhere.
const FullDepth = infiniteDepth

// Fetched is what a fetch brought.
type Fetched struct {
	Refs []store.Ref // as listed; none when FetchRequest.Objects were asked for

	Shallow   []store.Hash // commits that Into now has without their parents, and did not have so before
	Unshallow []store.Hash // commits of FetchRequest.Shallow whose parents Into now has
}

// Fetch brings what is wanted, checked like a push: when it returns nil, the
// objects are durable (as far as Into makes them so) and complete. No ref of Into moves.
func (r *Remote) Fetch(ctx context.Context, f FetchRequest) (*Fetched, error) {
	if err := f.check(); err != nil {
		return nil, fmt.Errorf("fetch %s: %w", r, err)
	}
	var got *Fetched
	err := r.read(ctx, len(f.Objects) == 0, func(w *remoteWire) error {
		fetch := &fetching{remote: r, w: w, f: &f, got: new(Fetched)}
		got = fetch.got
		return fetch.run(ctx)
	})
	if err != nil {
		return nil, fmt.Errorf("fetch %s: %w", r, err)
	}
	return got, nil
}

func (f *FetchRequest) check() error {
	if f.Objs == nil {
		objs, ok := f.Into.(store.Objects)
		if !ok {
			return errors.New("it is not said what Into holds")
		}
		f.Objs = objs
	}
	if f.Filter != "" {
		if _, err := parseFilter(f.Filter); err != nil {
			return err
		}
		if !f.Partial {
			return errors.New("a filter without the promise of what it leaves out")
		}
	}
	if f.Depth < 0 || f.Depth > FullDepth {
		return fmt.Errorf("invalid depth %d", f.Depth)
	}
	return nil
}

// A fetching is one fetch under way.
type fetching struct {
	remote *Remote
	w      *remoteWire
	f      *FetchRequest
	got    *Fetched

	g     *graph
	local *reach // what Have reaches; nil when all that Into lacks is promised
	wants []store.Hash
}

func (t *fetching) run(ctx context.Context) error {
	if err := t.able(); err != nil {
		return err
	}
	t.g = newGraph(t.f.Objs)
	t.g.lenient = t.f.Partial
	t.g.ends = make(map[store.Hash]struct{})
	for _, h := range t.f.Shallow {
		t.g.ends[h] = struct{}{}
	}
	if !t.f.Partial {
		t.local = newReach(t.g, t.f.Have)
	}
	if err := t.choose(ctx); err != nil || len(t.wants) == 0 {
		return err
	}
	pack, err := t.negotiate(ctx)
	if err != nil {
		return t.w.wrong(err)
	}
	if err := t.receive(ctx, pack); err != nil {
		return t.w.wrong(err)
	}
	return nil
}

// able refuses what the remote does not support.
func (t *fetching) able() error {
	switch w := t.w; {
	case w.version == 2 && !w.can("fetch"):
		return fmt.Errorf("the remote cannot be fetched from: %w", errors.ErrUnsupported)
	case t.f.Filter != "" && !w.canFetch("filter"):
		return fmt.Errorf("the remote leaves nothing out: %w", errors.ErrUnsupported)
	case (t.f.Depth > 0 || len(t.f.Shallow) > 0) && !w.canFetch("shallow"):
		return fmt.Errorf("the remote does not cut history off: %w", errors.ErrUnsupported)
	}
	return nil
}

// choose finds out what to ask for.
func (t *fetching) choose(ctx context.Context) error {
	if len(t.f.Objects) > 0 {
		t.wants = unique(t.f.Objects)
		return nil
	}
	refs, err := t.w.listRefs(t.f.Prefixes)
	if err != nil {
		return err
	}
	t.got.Refs = refs
	var wanted []store.Hash
	if t.f.Want != nil {
		wanted = t.f.Want(refs)
	} else {
		for _, ref := range refs {
			wanted = append(wanted, ref.Hash)
		}
	}
	wanted = unique(wanted)
	if t.f.Depth > 0 {
		t.wants = wanted // also of what is there there may have to be more, or less
		return nil
	}
	for _, h := range wanted {
		ok, err := t.has(ctx, h)
		if err != nil {
			return err
		}
		if !ok {
			t.wants = append(t.wants, h)
		}
	}
	return nil
}

// has reports whether a wanted commit or tag is among what Have reaches, or (when
// Into may hold parts only) is one of Have.
func (t *fetching) has(ctx context.Context, h store.Hash) (bool, error) {
	if t.local != nil {
		return t.local.commit(ctx, h)
	}
	for _, ref := range t.f.Have {
		if ref.Hash == h {
			return true, nil
		}
	}
	return false, nil
}

// unique returns each hash once, without Zero.
func unique(list []store.Hash) []store.Hash {
	var out []store.Hash
	seen := make(map[store.Hash]bool, len(list))
	for _, h := range list {
		if !h.IsZero() && !seen[h] {
			seen[h] = true
			out = append(out, h)
		}
	}
	return out
}

// receive takes the pack into Into, once it is found complete.
func (t *fetching) receive(ctx context.Context, pack io.Reader) error {
	q, err := t.f.Into.Receive(ctx, pack, t.bases(), t.remote.client.Limits)
	if err != nil {
		return fmt.Errorf("receive pack: %w", err)
	}
	defer q.Discard()
	if b, ok := pack.(*bandReader); ok {
		if err := b.finish(); err != nil {
			return fmt.Errorf("read past the pack: %w", err)
		}
	}
	if err := t.complete(ctx, q); err != nil {
		return err
	}
	if err := q.Keep(ctx); err != nil {
		return fmt.Errorf("keep pack: %w", err)
	}
	return nil
}

// bases returns what hands out the objects that deltas may lean on.
func (t *fetching) bases() func(context.Context, store.Hash) (object.Object, error) {
	if t.f.Partial {
		return (&promisedBases{t: t}).base
	}
	return (&thinBases{objs: t.f.Objs, reach: t.local}).base
}

// complete checks what has come: that it hangs together with what was there, and
// is what was asked for.
func (t *fetching) complete(ctx context.Context, q store.Quarantine) error {
	check := newConnectivity(q, t.f.Objs, t.local, nil)
	check.promised = t.f.Partial
	check.cut = make(map[store.Hash]struct{})
	for _, h := range t.f.Shallow {
		check.cut[h] = struct{}{}
	}
	for _, h := range t.got.Shallow {
		check.cut[h] = struct{}{}
	}
	for _, h := range t.got.Unshallow {
		delete(check.cut, h)
	}
	tips := t.wants
	for _, h := range t.got.Unshallow {
		parents, err := t.parents(ctx, h)
		if err != nil {
			return err
		}
		tips = append(tips[:len(tips):len(tips)], parents...)
	}
	for _, h := range tips {
		if err := check.check(ctx, h); err != nil {
			return fmt.Errorf("check %s: %w", h, err)
		}
		if _, packed := check.kinds[h]; !packed && t.f.Partial {
			if _, _, err := t.f.Objs.Stat(ctx, h); errors.Is(err, fs.ErrNotExist) {
				return fmt.Errorf("the remote has not sent %s", h)
			} else if err != nil {
				return err
			}
		}
	}
	return nil
}

// parents are the real ones of a commit that was cut off from them.
func (t *fetching) parents(ctx context.Context, h store.Hash) ([]store.Hash, error) {
	o, err := t.f.Objs.Object(ctx, h)
	if errors.Is(err, fs.ErrNotExist) && t.f.Partial {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read commit %s: %w", h, err)
	}
	_, parents, _, _ := commitLinks(o.Data)
	return parents, nil
}
