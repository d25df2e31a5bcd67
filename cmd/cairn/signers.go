package main

import (
	"context"
	"fmt"

	"golang.org/x/crypto/ssh"
)

type signersCommand struct{}

// Run prints the key that signs Cairn's own commits in the form that git's
// gpg.ssh.allowedSignersFile takes (ssh-keygen(1), ALLOWED SIGNERS).
func (c *signersCommand) Run(ctx context.Context, h home, term terminal) error {
	return withHouse(ctx, h, func(house *house) error {
		_, err := fmt.Fprintf(term.out, "%s namespaces=\"git\" %s", software.Email, ssh.MarshalAuthorizedKey(house.signer))
		return err
	})
}
