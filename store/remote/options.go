package remote

import (
	"context"
	"log/slog"
	"time"

	"cairn/store"
	"cairn/store/gitwire"
	"cairn/store/lazy"
)

// A Host is one repository somewhere else. *gitwire.Remote is one.
type Host interface {
	Able(ctx context.Context) (gitwire.Abilities, error)
	Refs(ctx context.Context, prefixes ...string) ([]store.Ref, error)
	Fetch(ctx context.Context, f gitwire.FetchRequest) (*gitwire.Fetched, error)
	Push(ctx context.Context, p gitwire.PushRequest) error
	Wait(ctx context.Context, prefixes []string, known []store.Ref) ([]store.Ref, error)
}

// Options are a Backend's settings.
type Options struct {
	// Host is the repository.
	Host Host

	// Bytes bounds the memory that objects take: see lazy.Options.
	Bytes int64

	// Folder keeps objects and remembers what the refs were, instead of memory: with it a
	// start is warm. The caller closes it, after the Backend. Nil: every start is cold.
	Folder lazy.Folder

	// Filter leaves blobs where they are until somebody reads them, as git fetch
	// --filter: "blob:none", "blob:limit=100k". A host that does not know filters
	// sends all. Default: nothing is left out.
	Filter string

	// Prefixes say which refs there are, by the beginnings of their names.
	// Default: refs/heads/ and refs/tags/.
	Prefixes []string

	// History says of which refs all history is fetched at the start. Default:
	// none; of the others it is fetched when somebody looks at it.
	History func(ref string) bool

	// Atomic refuses a host that cannot move several refs at once. Otherwise
	// only a Commit of several refs is refused.
	Atomic bool

	// Follow is asked before reads see that somebody else has moved a ref from
	// old (Zero: made it) to new (Zero: deleted it). Its error keeps the ref where
	// it is and is reported as a *RewoundError; one that is store.ErrTemporary has it asked
	// again. objs fetch what is not here.
	// Default: branches may be made, deleted and moved forward, other refs go anywhere.
	Follow func(ctx context.Context, ref string, old, new store.Hash, objs store.Objects) error

	// Expect lists commits that the branches must contain, or else a cold start
	// is refused.
	Expect []store.Hash

	// Accept lists commits that somebody has looked at: a ref that is at one of them is followed, whatever
	// it was before and whatever Follow says.
	Accept []store.Hash

	// Poll is how often a host is asked that does not tell by itself. Default:
	// 800 ms.
	Poll time.Duration

	// Timeout is how long the host may stand still before it is away (six times as
	// long where it has much to do: a start, a large push), and how long a Commit in
	// doubt looks for its outcome. Default: 10 s.
	Timeout time.Duration

	// Replica is in every commit that a store.Repo makes here. No two processes on
	// one repository have the same. Default: 16 random hex digits.
	Replica string

	// Observe is told what happens, for metrics. It does not block.
	Observe func(Event)

	// Log is told of what somebody should look at. Default: nobody is.
	Log *slog.Logger
}
