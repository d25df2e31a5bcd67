package gitwire

import (
	"context"
	"errors"
	"io"

	"cairn/store"
)

// A View is what one user may see and do of a repository through one URL. It is
// made for each request; what it does not show does not exist for its user:
// objects can be fetched, leaned on by deltas and counted for connectivity only
// when they are reachable from Refs.
type View struct {
	Backend store.Backend

	// User is the acting user's name, empty for anonymous.
	User string

	// Refs returns the refs that are shown, under the names shown
	// (refs/heads/main), sorted by name.
	Refs func(context.Context) ([]store.Ref, error)

	// Head is the shown ref that HEAD points to, such as refs/heads/main,
	// whether or not it exists. Empty: no HEAD is shown.
	Head string

	// Real maps the shown name of a ref, which is a valid ref name, to its
	// name in Backend. An error refuses the command with its text.
	Real func(shown string) (string, error)

	// Allow decides about one command once its objects have arrived, with
	// Forced known. An error refuses that command with its text. A nil Allow
	// makes the view read-only.
	Allow func(context.Context, *Push, Command) error

	// Accept looks at a push as a whole (nil: no objection). The objects are
	// still in quarantine; an error refuses all commands with its text.
	Accept func(context.Context, *Push) error

	// Done is told of the commands that took effect (nil: nobody is).
	Done func(context.Context, *Push)

	Limits store.Limits

	searches *keptSearches // of the server that uses the view
	waits    *waitRoom     // likewise; nil lets nobody wait
}

// A Command asks for one ref to be moved: Zero as Old creates, as New deletes.
type Command struct {
	Name     string // as shown
	Old, New store.Hash
	Forced   bool // New does not descend from Old
}

// A Push is what one receive-pack request asks for.
type Push struct {
	User     string
	Commands []Command
	Options  []string      // git push --push-option
	Objects  store.Objects // the quarantine over the repository
	Progress io.Writer     // lines for the pusher, shown as "remote: …"
}

// ErrUnauthorized is returned by an Open function when the user has to log in:
// 401 with WWW-Authenticate over HTTP. fs.ErrNotExist becomes 404 and
// fs.ErrPermission 403.
var ErrUnauthorized = errors.New("log in first")
