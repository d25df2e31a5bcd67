package gitwire

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"time"

	"golang.org/x/crypto/ssh"

	"cairn/store"
)

// A Client reaches repositories elsewhere, over smart HTTP, SSH and git's own
// protocol. It reaches the network only through what it is handed. The fields
// are not changed while it is used; it is safe for concurrent use when they are.
//
// URLs are http://, https://, ssh://, user@host:path and git://, of which the last
// neither hides nor proves anything. What a remote sends is bounded in size; in time
// only its silence is.
//
// Errors are ErrUnauthorized, fs.ErrPermission and fs.ErrNotExist when the
// remote answers so, store.ErrTemporary when it cannot be reached or says that
// it is out of order, errors.ErrUnsupported when it does not offer what is asked,
// *MissingError when it does not have (or show) an object, *RemoteError for what it
// says in its own words. Those of Remote.Push say more.
type Client struct {
	// HTTP is for http and https; nil refuses such URLs. It holds the client's
	// certificate, if there is one, and should keep idle connections, notice when one
	// is dead, and be patient for as long as Stall.
	HTTP http.RoundTripper

	// User and Password log in over HTTP when the URL names no user. They go
	// to the URL's own host and no other.
	User, Password string

	// Token, when it is set, is sent over HTTP as a bearer token (RFC 6750) in the
	// place of User and Password.
	Token string

	// Redirect allows a redirect to another host, by returning nil; a nil
	// Redirect allows none. From https to http none is followed.
	Redirect func(from, to *url.URL) error

	Dial func(ctx context.Context, network, addr string) (net.Conn, error) // for ssh and git; nil refuses such URLs

	// SSH says how to log in over SSH and how to know the host; the URL's user goes
	// before its User. A HostKeyCallback that is nil or ssh.InsecureIgnoreHostKey is refused.
	SSH *ssh.ClientConfig

	Limits   store.Limits // of a fetched pack
	Progress io.Writer    // what remotes have to say to people, one call at a time for each Remote's conversation; nil discards

	// Stall is how long a remote may be silent while it is its turn; 0 means
	// DefaultStall. Hosts that work on something say so every few seconds.
	Stall time.Duration
}

// ErrNotAtomic says that a remote cannot move several refs at once.
var ErrNotAtomic = fmt.Errorf("the remote does not support atomic pushes: %w", errors.ErrUnsupported)

// ErrInDoubt is what errors of a push are when it may have been carried out,
// or may be yet: the answer was lost. The refs will tell.
var ErrInDoubt = errors.New("it is not known whether the push has been carried out")

// A RejectedError says that the remote did not move a ref.
type RejectedError struct {
	Ref    string
	Reason string // the remote's words
	Race   bool   // the words say that the ref was not what Old said, or was just being moved
}

func (e *RejectedError) Error() string {
	return fmt.Sprintf("push of %s rejected: %s", e.Ref, e.Reason)
}

// A MissingError says that a remote does not have an object, or does not show it
// to this user.
type MissingError struct {
	Object store.Hash
}

func (e *MissingError) Error() string { return "the remote has no object " + e.Object.String() }

// A RemoteError is what a remote says in its own words.
type RemoteError struct {
	Text string // one line
}

func (e *RemoteError) Error() string { return "remote: " + e.Text }

// progress is where a conversation's progress goes.
func (c *Client) progress() *chatter {
	if c.Progress == nil {
		return &chatter{w: io.Discard}
	}
	return &chatter{w: c.Progress}
}

func (c *Client) stall() time.Duration { return orDefault(c.Stall, DefaultStall) }
