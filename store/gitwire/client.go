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

	Dial func(ctx context.Context, network, addr string) (net.Conn, error) // for ssh; nil refuses such URLs
	SSH  *ssh.ClientConfig                                                 // for ssh; the URL's user goes before User

	Limits   store.Limits // of a fetched pack
	Progress io.Writer    // what remotes have to say to people; nil discards
}

// A FetchRequest says what to fetch.
type FetchRequest struct {
	// Into takes the objects; it must be a store.Receiver.
	Into store.Backend

	// Have are refs of Into. The remote is told what they reach, so as not to
	// send it again, and what it sends may lean on that: on nothing else that Into
	// holds, because a remote could otherwise make private objects part of what is published.
	Have []store.Ref

	Prefixes []string // which refs to list, by the beginning of their names; none means all

	// Want picks what is fetched with all its history from what is listed; nil means
	// all of it.
	Want func([]store.Ref) []store.Hash
}

// A PushRequest says what to push.
type PushRequest struct {
	// Commands move refs. Each Old has to be what the ref is at the remote;
	// Forced is not looked at: that a ref may lose commits is what Old is for.
	Commands []Command

	// Objects are all that the remote lacks of what the commands name.
	Objects []object.Object

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
