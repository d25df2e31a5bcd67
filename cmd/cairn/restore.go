package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"cairn/cmd/setup"
	"cairn/net/host"
	"cairn/services/config"
	"cairn/services/secrets"
	"cairn/store/gitdir"
	"cairn/store/mirror"
)

type restoreCommand struct {
	What string `arg:"" help:"With --at: whose and what, such as alice/calendars/home or alice/calendars/home/lunch.ics. With --seed-file: the URL of a backup."`

	At     string `help:"When calendars or contacts were as they shall be again: '2 days ago', 'yesterday', '2026-11-20 14:00'." placeholder:"WHEN" xor:"what"`
	DryRun bool   `help:"With --at: only say what would be done."`

	SeedFile     string `help:"The seed of the home that was lost." placeholder:"FILE" xor:"what"`
	PasswordFile string `help:"With --seed-file: a file with the password of the URL's user, so that it is on no command line." placeholder:"FILE"`
	HostKey      string `help:"With --seed-file: the key of an ssh host, as ssh-keyscan prints it: 'ssh-ed25519 AAAA…'." placeholder:"KEY"`
}

// Run brings back calendars and contacts, or makes a home.
func (c *restoreCommand) Run(ctx context.Context, h home, term terminal) error {
	switch {
	case c.At != "" && strings.Contains(c.What, "://"):
		return errors.New("--at goes with something of somebody's calendars or contacts, such as alice/calendars/home; a backup at a URL is restored as it is: --seed-file FILE")
	case c.At != "":
		return bringBack(ctx, h, term, c.What, c.At, c.DryRun)
	case c.SeedFile == "":
		return errors.New("say which of two: `cairn restore alice/calendars/home --at '2 days ago'` brings calendars and contacts back; " +
			"`cairn restore URL --seed-file FILE` makes a home from a backup")
	case c.DryRun:
		return errors.New("--dry-run goes with --at")
	}
	return c.home(ctx, h, term)
}

// home makes a home from a backup and the seed. What it has begun and cannot finish
// it takes away again.
func (c *restoreCommand) home(ctx context.Context, h home, term terminal) (err error) {
	seed, err := c.seed()
	if err != nil {
		return err
	}
	if err := h.fits(seed); err != nil {
		return err
	}
	from, login, err := backupPlace{URL: c.What, PasswordFile: c.PasswordFile, HostKey: c.HostKey}.parse()
	if err != nil {
		return err
	}
	derived, err := secrets.Open(nil, seed)
	if err != nil {
		return err
	}
	keys := &house{secrets: derived}
	client, err := keys.backupClient(host.New(host.Options{}), config.Backup{URL: from, HostKey: c.HostKey}, login)
	if err != nil {
		return err
	}
	remote, err := client.Remote(from)
	if err != nil {
		return err
	}
	defer remote.Close()
	release, err := h.claim()
	if err != nil {
		return err
	}
	defer release()
	if err := h.fits(seed); err != nil {
		return err
	}
	fresh := h.repository() + ".new"
	if err := os.RemoveAll(fresh); err != nil {
		return err
	}
	defer os.RemoveAll(fresh)
	if err := gitdir.Init(fresh); err != nil {
		return err
	}
	dir, err := gitdir.Open(fresh, gitdir.Options{})
	if err != nil {
		return err
	}
	tell := newProgress(term.err, "Restoring")
	refs, err := mirror.Restore(ctx, remote, tell.watch(dir))
	tell.end()
	if err = errors.Join(err, dir.Close()); err != nil {
		return err
	}
	if err := setup.KeepSeed(string(h), seed); err != nil {
		return err
	}
	if err := setup.RenameDurable(fresh, h.repository()); err != nil {
		return err
	}
	fmt.Fprintf(term.out, "Restored %d branches and tags to %s. Start it: cairn --home %s up\n", len(refs), h, h)
	return h.checkSeed(ctx, term)
}

// fits makes sure that a home may be made here: nothing is overwritten that is the only
// one of its kind.
func (h home) fits(seed setup.Seed) error {
	if _, err := os.Stat(h.repository()); !errors.Is(err, fs.ErrNotExist) {
		return errors.Join(err, fmt.Errorf("there is a Cairn in %s: --home DIR names an empty folder", h))
	}
	kept, err := setup.ReadSeed(string(h))
	if errors.Is(err, fs.ErrNotExist) || err == nil && kept == seed {
		return nil
	}
	return errors.Join(err, fmt.Errorf("%s is another seed: --home DIR names an empty folder", setup.SeedPath(string(h))))
}

func (c *restoreCommand) seed() (setup.Seed, error) {
	text, err := os.ReadFile(c.SeedFile)
	if err != nil {
		return setup.Seed{}, fmt.Errorf("read the seed: %w", err)
	}
	seed, err := setup.ParseSeed(string(text))
	if err != nil {
		return seed, fmt.Errorf("%s %w", c.SeedFile, err)
	}
	return seed, nil
}

// checkSeed warns when the secrets were encrypted under another seed.
func (h home) checkSeed(ctx context.Context, term terminal) error {
	house, err := h.openQuiet()
	if err != nil {
		return err
	}
	if err := setup.CheckSeed(ctx, house.secrets); err != nil {
		fmt.Fprintf(term.err, "The seed is not the one that the secrets were encrypted under: %v\nPut the right one into %s.\n", err, setup.SeedPath(string(h)))
	}
	return house.close()
}
