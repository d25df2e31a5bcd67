package gitwire

import (
	"testing"

	"cairn/store"
)

// remoteOf is a Remote that is closed when the test ends.
func remoteOf(t testing.TB, c *Client, url string) *Remote {
	t.Helper()
	r, err := c.Remote(url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	return r
}

// fetchOnce fetches over a Remote of its own and returns the refs listed.
func fetchOnce(t testing.TB, c *Client, url string, f FetchRequest) ([]store.Ref, error) {
	t.Helper()
	r, err := c.Remote(url)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	got, err := r.Fetch(t.Context(), f)
	if err != nil {
		return nil, err
	}
	return got.Refs, nil
}

// pushOnce pushes over a Remote of its own.
func pushOnce(t testing.TB, c *Client, url string, p PushRequest) error {
	t.Helper()
	r, err := c.Remote(url)
	if err != nil {
		return err
	}
	defer r.Close()
	return r.Push(t.Context(), p)
}

// refsOnce lists refs over a Remote of its own.
func refsOnce(t testing.TB, c *Client, url string) ([]store.Ref, error) {
	t.Helper()
	r, err := c.Remote(url)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return r.Refs(t.Context())
}
