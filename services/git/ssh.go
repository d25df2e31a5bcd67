package git

import (
	"context"
	"errors"
	"fmt"

	"golang.org/x/crypto/ssh"

	"cairn/store/gitwire"
)

// sshKey is where the permissions of an SSH connection keep the key, in wire
// format, when it was a key that logged in. The user is at gitwire.ExtensionUser.
const sshKey = "key"

// anyUser is the SSH user under which everybody may log in with a key, as in
// ssh://git@host/site. The key says who it is.
const anyUser = "git"

// errLogIn is all that somebody who could not log in over SSH is told.
var errLogIn = errors.New("log in with your own name and a password, or with a key that is known here")

// SSH returns the SSH server. Its host key comes from the seed, so it is the same
// wherever the repository goes. ctx bounds the look-ups of log-ins.
func (s *Service) SSH(ctx context.Context) (*gitwire.SSHServer, error) {
	key, err := s.Secrets.DeriveEd25519("ssh host key")
	if err != nil {
		return nil, err
	}
	host, err := ssh.NewSignerFromKey(key)
	if err != nil {
		return nil, fmt.Errorf("ssh host key: %w", err)
	}
	c := &ssh.ServerConfig{
		ServerVersion: "SSH-2.0-Cairn",
		PasswordCallback: func(conn ssh.ConnMetadata, password []byte) (*ssh.Permissions, error) {
			return s.sshPassword(ctx, conn, string(password))
		},
		PublicKeyCallback: func(conn ssh.ConnMetadata, key ssh.PublicKey) (*ssh.Permissions, error) {
			return s.sshPublicKey(ctx, conn, key)
		},
	}
	c.AddHostKey(host)
	return &gitwire.SSHServer{Config: c, Open: s.sshOpen, Log: s.Log}, nil
}

func (s *Service) sshPassword(ctx context.Context, conn ssh.ConnMetadata, password string) (*ssh.Permissions, error) {
	u, err := s.password(ctx, "ssh", conn.User(), password, address(conn.RemoteAddr().String()))
	if err != nil {
		return nil, errLogIn
	}
	return &ssh.Permissions{Extensions: map[string]string{gitwire.ExtensionUser: u.Name}}, nil
}

// sshPublicKey is asked before the client has proved to hold the key, so it
// decides nothing and counts nothing.
func (s *Service) sshPublicKey(ctx context.Context, conn ssh.ConnMetadata, key ssh.PublicKey) (*ssh.Permissions, error) {
	u, err := s.Accounts.AuthenticateKey(ctx, key)
	if err != nil || conn.User() != anyUser && conn.User() != u.Name {
		return nil, errLogIn
	}
	return &ssh.Permissions{Extensions: map[string]string{gitwire.ExtensionUser: u.Name, sshKey: string(key.Marshal())}}, nil
}

// sshOpen opens a view. The connection may be older than a change of the
// accounts: the user, and the key, must still be there.
func (s *Service) sshOpen(ctx context.Context, perms *ssh.Permissions, path string, write bool) (*gitwire.View, error) {
	name := perms.Extensions[gitwire.ExtensionUser]
	u, err := s.Accounts.User(ctx, name)
	if err != nil {
		return nil, err
	}
	if wire, ok := perms.Extensions[sshKey]; ok {
		key, err := ssh.ParsePublicKey([]byte(wire))
		if err != nil {
			return nil, err
		}
		if owner, err := s.Accounts.AuthenticateKey(ctx, key); err != nil || owner.Name != name {
			return nil, gitwire.ErrUnauthorized
		}
	}
	return s.open(ctx, u, path, write)
}
