package gitwire

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"

	"golang.org/x/crypto/ssh"

	"cairn/store"
	"cairn/store/object"
)

// A Client fetches from and pushes to repositories elsewhere, over smart HTTP
// and SSH. It reaches the network only through what it is handed. The fields
// are not changed while it is used; it is safe for concurrent use when they are.
//
// URLs are http://, https://, ssh:// or user@host:path. What a remote sends is
// bounded in size, but not in time: that is up to ctx.
//
// Errors are ErrUnauthorized, fs.ErrPermission and fs.ErrNotExist when the
// remote answers so, store.ErrTemporary when it cannot be reached or says that
// it is out of order, *RemoteError for what it says in its own words.
type Client struct {
	HTTP http.RoundTripper // for http and https; nil refuses such URLs

	// User and Password log in over HTTP when the URL names no user. They go
	// to the URL's own host and no other.
	User, Password string

	// Redirect allows a redirect to another host, by returning nil; a nil
	// Redirect allows none. From https to http none is followed.
	Redirect func(from, to *url.URL) error

	// Token, when it is set, is sent over HTTP as a bearer token (RFC 6750) in the
	// place of User and Password.
	Token string

	Dial func(ctx context.Context, network, addr string) (net.Conn, error) // for ssh and git; nil refuses such URLs
	SSH  *ssh.ClientConfig                                                 // for ssh; the URL's user goes before User

	Limits   store.Limits // of a fetched pack
	Progress io.Writer    // what remotes have to say to people; nil discards
}

// A FetchRequest says what to fetch.
type FetchRequest struct {
	// Into takes the objects.
	Into store.Receiver

	// Objs reads what Into holds: what it lacks is fs.ErrNotExist at once, it does not
	// fetch by itself. Nil means Into, which is then a store.Objects too.
	Objs store.Objects

	// Have are refs of Into. The remote is told what they reach, so as not to
	// send it again, and what it sends may lean on that: on nothing else that Into
	// holds, because a remote could otherwise make private objects part of what is published.
	Have []store.Ref

	// Objects are fetched by hash, in one round trip and without listing refs:
	// Prefixes and Want are not looked at. A commit comes with all its history,
	// a tree with all that is below, apart from what Have reaches and Filter leaves out.
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
	// "blob:limit=100k", "tree:0". What Objects names comes all the same.
	Filter string

	// Partial says that what is absent is promised: it can be fetched by hash when
	// it is needed. The check for completeness stops there, and the base of a delta that
	// Into lacks is asked for.
	Partial bool
}

// FullDepth is the Depth of a history that ends nowhere.
const FullDepth = infiniteDepth

// A PushRequest says what to push.
type PushRequest struct {
	// Commands move refs. Each Old is what the ref is taken to be at the remote;
	// the remote compares. Forced is not looked at: that a ref may lose commits is what Old is for.
	Commands []Command

	// Objects are all that the remote lacks of what the commands name.
	Objects []object.Object

	// From, when it is not nil, stands in the place of Objects: what the commands'
	// New reach and Have do not is read from it and streamed.
	From store.Objects
	Have []store.Hash // commits and tags that the remote has, with all they reach; those that From lacks are passed over

	Options []string // push options

	// Partial allows to push several commands to a remote that does not know
	// atomic pushes; then some may take effect and others not.
	Partial bool
}

// ErrNotAtomic says that a remote cannot move several refs at once.
var ErrNotAtomic = errors.New("the remote does not support atomic pushes")

// A RejectedError says that the remote did not move a ref.
type RejectedError struct {
	Ref    string
	Reason string // the remote's words
	Race   bool   // the words say that the ref was not what Old said, or was just being moved
}

func (e *RejectedError) Error() string {
	return fmt.Sprintf("push of %s rejected: %s", e.Ref, e.Reason)
}

// A RemoteError is what a remote says in its own words.
type RemoteError struct {
	Text string // one line
}

func (e *RemoteError) Error() string { return "remote: " + e.Text }

// Refs lists a remote's refs, sorted by name, those that begin with one of the
// prefixes or all. HEAD is among them if it is asked for, with its Target when
// the remote tells it.
func (c *Client) Refs(ctx context.Context, rawURL string, prefixes ...string) ([]store.Ref, error) {
	w, err := c.open(ctx, rawURL, "git-upload-pack", 2)
	if err != nil {
		return nil, fmt.Errorf("list refs of %s: %w", redacted(rawURL), err)
	}
	defer w.close()
	refs, err := w.listRefs(prefixes)
	if err != nil {
		return nil, fmt.Errorf("list refs of %s: %w", redacted(rawURL), err)
	}
	return refs, nil
}

// Fetch lists the remote's refs and brings what is wanted of them, checked
// like a push: when it returns nil, the objects are durable and complete. No ref
// of Into moves. It returns the refs listed.
func (c *Client) Fetch(ctx context.Context, rawURL string, f FetchRequest) ([]store.Ref, error) {
	w, err := c.open(ctx, rawURL, "git-upload-pack", 2)
	if err != nil {
		return nil, fmt.Errorf("fetch %s: %w", redacted(rawURL), err)
	}
	defer w.close()
	refs, err := c.fetch(ctx, w, f)
	if err != nil {
		return nil, fmt.Errorf("fetch %s: %w", redacted(rawURL), err)
	}
	return refs, nil
}

// Push moves refs at the remote: all of them or, with Partial, each on its
// own. It returns nil when all have moved. Otherwise the error holds a *RejectedError
// for each that has not; an error without any, such as of a connection that
// broke, leaves open what has become of the push, and the refs will tell.
func (c *Client) Push(ctx context.Context, rawURL string, p PushRequest) error {
	w, err := c.open(ctx, rawURL, "git-receive-pack", 0)
	if err != nil {
		return fmt.Errorf("push to %s: %w", redacted(rawURL), err)
	}
	defer w.close()
	if err := w.push(p); err != nil {
		return fmt.Errorf("push to %s: %w", redacted(rawURL), err)
	}
	return nil
}
