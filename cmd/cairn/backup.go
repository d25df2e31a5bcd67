package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"text/tabwriter"

	"cairn/cmd/setup"
	"cairn/net/host"
	"cairn/services/config"
	"cairn/store/gitwire"
	"cairn/store/mem"
	"cairn/store/mirror"
)

type backupCommands struct {
	Add    backupAdd    `cmd:"" help:"Keep a copy in an empty repository elsewhere, from now on."`
	List   backupList   `cmd:"" help:"Backups, and how far each is."`
	Verify backupVerify `cmd:"" help:"Restore a backup into memory and compare."`
	Remove backupRemove `cmd:"" help:"Keep a backup up to date no longer. What is there stays."`
}

type backupAdd struct {
	Name string `arg:"" help:"Small letters, digits and hyphens."`
	backupPlace
}

func (c *backupAdd) Run(ctx context.Context, h home, term terminal) error {
	return withHouse(ctx, h, func(house *house) error {
		if err := c.isNew(ctx, house); err != nil {
			return err
		}
		url, login, err := c.parse()
		if err != nil {
			return err
		}
		b := config.Backup{Name: c.Name, URL: url, HostKey: c.HostKey}
		client, err := house.backupClient(host.New(host.Options{}), b, login)
		if err != nil {
			return err
		}
		if err := c.try(ctx, house, client, url); err != nil {
			return err
		}
		if err := house.keepBackupLogin(ctx, c.Name, login); err != nil {
			return err
		}
		if err := house.config.AddBackup(ctx, operator(), b); err != nil {
			return errors.Join(err, house.keepBackupLogin(ctx, c.Name, ""))
		}
		fmt.Fprintln(term.out, "A Cairn that is up keeps it up to date from now on.")
		fmt.Fprintf(term.out, "To restore it you also need the seed, which is in no backup: keep a copy of %s\n", setup.SeedPath(string(h)))
		return nil
	})
}

// isNew makes sure that there is no backup of that name, whose login would be replaced.
func (c *backupAdd) isNew(ctx context.Context, house *house) error {
	all, err := house.config.Backups(ctx)
	if err != nil {
		return err
	}
	if _, err := named(all, c.Name); err == nil {
		return fmt.Errorf("there is a backup %q already: choose another name, or `cairn backup remove %s` first", c.Name, c.Name)
	}
	return nil
}

// try makes sure that the host can be reached and holds nothing of somebody else's.
func (c *backupAdd) try(ctx context.Context, house *house, client *gitwire.Client, url string) error {
	to, err := client.Remote(url)
	if err != nil {
		return err
	}
	defer to.Close()
	there, err := to.Refs(ctx, "refs/")
	if errors.Is(err, gitwire.ErrUnauthorized) && client.SSH != nil {
		return fmt.Errorf("%w: let this key write there:\n%s", err, house.loginLine())
	}
	if errors.Is(err, gitwire.ErrUnauthorized) {
		return fmt.Errorf("%w: give a user in the URL and the right password, there or by --password-file", err)
	}
	if err != nil {
		return err
	}
	for _, ref := range there {
		if _, _, err := house.repo.Backend().Stat(ctx, ref.Hash); errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("%s holds %s, which does not come from here: a backup takes an empty repository", to, ref.Name)
		}
	}
	return nil
}

type backupList struct{}

func (c *backupList) Run(ctx context.Context, h home, term terminal) error {
	return withHouse(ctx, h, func(house *house) error {
		backups, err := house.config.Backups(ctx)
		if err != nil {
			return err
		}
		if len(backups) == 0 {
			_, err := fmt.Fprintln(term.err, "There is no backup yet: `cairn backup add` makes one.")
			return err
		}
		w := tabwriter.NewWriter(term.out, 0, 0, 2, ' ', 0)
		for _, b := range backups {
			how := "up to date"
			r, err := house.compare(ctx, b)
			switch {
			case err != nil:
				how = err.Error()
			case !r.OK():
				how = describe(r)
			}
			fmt.Fprintf(w, "%s\t%s\t%s\n", b.Name, b.URL, how)
		}
		return w.Flush()
	})
}

func (h *house) compare(ctx context.Context, b config.Backup) (mirror.Report, error) {
	at, err := h.backup(ctx, b)
	if err != nil {
		return mirror.Report{}, err
	}
	defer at.Close()
	return mirror.Compare(ctx, h.repo.Backend(), at)
}

// describe says in what a backup differs.
func describe(r mirror.Report) string {
	return fmt.Sprintf("%d refs alike, %d behind, %d missing, %d not from here", r.Same, len(r.Behind), len(r.Missing), len(r.Foreign))
}

type backupVerify struct {
	Name []string `arg:"" optional:"" help:"Which; default: all."`
}

func (c *backupVerify) Run(ctx context.Context, h home, term terminal) error {
	return withHouse(ctx, h, func(house *house) error {
		backups, err := house.chosen(ctx, c.Name)
		if err != nil {
			return err
		}
		var errs []error
		for _, b := range backups {
			if err := house.verify(ctx, term, b); err != nil {
				errs = append(errs, fmt.Errorf("backup %s: %w", b.Name, err))
			}
		}
		return errors.Join(errs...)
	})
}

// chosen are the backups of some names, or all.
func (h *house) chosen(ctx context.Context, names []string) ([]config.Backup, error) {
	all, err := h.config.Backups(ctx)
	if err != nil {
		return nil, err
	}
	if len(all) == 0 {
		return nil, errors.New("there is no backup: `cairn backup add` makes one")
	}
	if len(names) == 0 {
		return all, nil
	}
	var list []config.Backup
	for _, name := range names {
		b, err := named(all, name)
		if err != nil {
			return nil, err
		}
		list = append(list, b)
	}
	return list, nil
}

func named(all []config.Backup, name string) (config.Backup, error) {
	for _, b := range all {
		if b.Name == name {
			return b, nil
		}
	}
	return config.Backup{}, fmt.Errorf("there is no backup %q: `cairn backup list` shows those there are", name)
}

func (h *house) verify(ctx context.Context, term terminal, b config.Backup) error {
	at, err := h.backup(ctx, b)
	if err != nil {
		return err
	}
	defer at.Close()
	tell := newProgress(term.err, "Reading "+b.Name)
	r, err := mirror.Verify(ctx, h.repo.Backend(), at, tell.watch(mem.New()))
	tell.end()
	if err != nil {
		return fmt.Errorf("it cannot be restored: %w", err)
	}
	if !r.OK() {
		return fmt.Errorf("it is whole, but not as this repository is: %s", describe(r))
	}
	fmt.Fprintf(term.out, "%s restores to what is here: %d refs\n", b.Name, r.Same)
	return nil
}

type backupRemove struct {
	Name string `arg:""`
}

func (c *backupRemove) Run(ctx context.Context, h home) error {
	return withHouse(ctx, h, func(house *house) error {
		all, err := house.config.Backups(ctx)
		if err != nil {
			return err
		}
		if _, err := named(all, c.Name); err != nil {
			return err
		}
		if err := house.config.RemoveBackup(ctx, operator(), c.Name); err != nil {
			return err
		}
		return house.keepBackupLogin(ctx, c.Name, "")
	})
}

// backup is a backup's repository.
func (h *house) backup(ctx context.Context, b config.Backup) (*gitwire.Remote, error) {
	login, err := h.backupLogin(ctx, b.Name)
	if err != nil {
		return nil, err
	}
	client, err := h.backupClient(host.New(host.Options{}), b, login)
	if err != nil {
		return nil, err
	}
	return client.Remote(b.URL)
}

// backupSecret is where the login for a backup is kept, as "user:password".
func backupSecret(name string) string { return "backups/" + name }
