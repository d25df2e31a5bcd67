package self

import (
	"crypto/ed25519"
	"net/netip"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"
)

func TestSetPassword(t *testing.T) {
	h := newHouse(t)
	b, other := h.as("alice"), h.as("alice")
	if _, err := h.accounts.NewAppPassword(t.Context(), by, "alice", "phone"); err != nil {
		t.Fatal(err)
	}
	const page, action = "/self/account", "/self/account/password"
	b.submit(page, action, "old", "alice's password", "new", "another password", "again", "one more password").says(t, 422, "not typed twice alike")
	b.submit(page, action, "old", "bob's password", "new", "another password", "again", "another password").says(t, 422, "not your current password")
	b.submit(page, action, "old", "alice's password", "new", "short", "again", "short").says(t, 422, "too short")
	b.submit(page, action, "old", "alice's password", "new", "another password", "again", "another password").says(t, 200, "Your password was changed.")
	if b.get("/self/").code != 200 {
		t.Error("the browser in which the password was changed is logged out")
	}
	if other.get("/self/").code == 200 {
		t.Error("another browser is still logged in")
	}
	if _, err := h.accounts.AuthenticateChosen(t.Context(), "alice", "another password", netip.MustParseAddr("192.0.2.1")); err != nil {
		t.Errorf("the new password: %v", err)
	}
	b.get("/self/").says(t, 200, "phone")
}

func TestKeys(t *testing.T) {
	h := newHouse(t)
	key := func(seed byte) string {
		pub, err := ssh.NewPublicKey(ed25519.NewKeyFromSeed([]byte(strings.Repeat(string(rune(seed)), 32))).Public())
		if err != nil {
			t.Fatal(err)
		}
		return strings.TrimSpace(string(ssh.MarshalAuthorizedKey(pub)))
	}
	a, b := h.as("alice"), h.as("bob")
	const page, add, remove = "/self/account", "/self/account/addkey", "/self/account/removekey"
	a.submit(page, add, "key", key('a')+" laptop").says(t, 200, "The key was added.", "laptop", "SHA256:")
	a.submit(page, add, "key", key('a')).says(t, 422, "here already")
	b.submit(page, add, "key", key('a')).says(t, 422, "somebody else's")
	b.submit(page, add, "key", "not a key <b>").says(t, 422, "This key cannot be used")
	b.post(remove, "token", b.token(), "key", key('a')).says(t, 404, "not there any more")
	b.post(remove, "token", b.token(), "key", "x").says(t, 400)
	a.submit(page, remove, "key", key('a')+" laptop").says(t, 200, "The key was removed.")
	if u, err := h.accounts.User(t.Context(), "alice"); err != nil || len(u.SSHKeys) != 0 {
		t.Errorf("got %v, %v, want no key", u.SSHKeys, err)
	}
}
