package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"slices"
	"time"

	"cairn/cmd/setup/mail"
	"cairn/libos"
	"cairn/services/config"
	"cairn/services/mail/sealed"
	"cairn/store"
)

type mailCommands struct {
	Import    mailImport    `cmd:"" help:"Bring mail along: from an mbox file, a Maildir, another server."`
	Export    mailExport    `cmd:"" help:"Mail as an mbox file or a Maildir."`
	Smarthost mailSmarthost `cmd:"" help:"Send everything through another server, as homes have to whose port 25 is blocked."`
	Quota     mailQuota     `cmd:"" help:"How much mail users may have."`
	Seal      mailSeal      `cmd:"" help:"Encrypt what comes for somebody to their OpenPGP key, before it is kept."`
	Unseal    mailUnseal    `cmd:"" help:"Encrypt what comes no longer. What is sealed stays so."`
	Reports   mailReports   `cmd:"" help:"What other servers report of mail from our domains: DMARC, TLS."`
	Prune     mailPrune     `cmd:"" help:"Take what was deleted out of history, too, and free its space."`
}

type mailSmarthost struct {
	passwordFlag
	URL string `arg:"" optional:"" help:"smtps://USER@HOST, or smtp://USER@HOST where TLS begins later; the password is asked for. None: send directly."`
}

func (c *mailSmarthost) Run(ctx context.Context, h home, term terminal) error {
	return withHouse(ctx, h, func(house *house) error {
		if c.URL == "" {
			return errors.Join(house.setSmarthost(ctx, ""), mail.KeepSmarthost(ctx, house.secrets, operator(), ""))
		}
		u, err := url.Parse(c.URL)
		if err != nil {
			return err
		}
		password, said := u.User.Password()
		if u.User.Username() != "" {
			u.User = url.User(u.User.Username())
			if !said {
				c.PasswordStdin = true
				fmt.Fprintf(term.err, "Password of %s: ", u.User)
				if password, _, err = c.password(term); err != nil {
					return err
				}
			}
		}
		if err := mail.KeepSmarthost(ctx, house.secrets, operator(), password); err != nil {
			return err
		}
		return house.setSmarthost(ctx, u.String())
	})
}

func (h *house) setSmarthost(ctx context.Context, to string) error {
	return h.config.EditMail(ctx, operator(), "Send through "+to, func(m *config.Mail) error { m.Smarthost = to; return nil })
}

type mailQuota struct {
	Size string `arg:"" help:"Such as 10GB; 0: no bound."`
	User string `arg:"" optional:"" help:"Whose; default: of all who have none of their own."`
}

func (c *mailQuota) Run(ctx context.Context, h home) error {
	var size config.Size
	if err := size.UnmarshalText([]byte(c.Size)); err != nil {
		return err
	}
	return withHouse(ctx, h, func(house *house) error {
		if c.User != "" {
			if _, err := house.knownUser(ctx, c.User); err != nil {
				return err
			}
		}
		return house.config.EditMail(ctx, operator(), "Quota of "+c.Size, func(m *config.Mail) error {
			if c.User == "" {
				m.Quota = size
				return nil
			}
			if m.Quotas == nil {
				m.Quotas = map[string]config.Size{}
			}
			m.Quotas[c.User] = size
			return nil
		})
	})
}

type mailSeal struct {
	User string `arg:""`
	Key  string `arg:"" optional:"" type:"existingfile" help:"A public key, as gpg --armor --export writes it. Default: those that the user has here."`
}

func (c *mailSeal) Run(ctx context.Context, h home, term terminal) error {
	return withHouse(ctx, h, func(house *house) error {
		u, err := house.knownUser(ctx, c.User)
		if err != nil {
			return err
		}
		keys := u.OpenPGPKeys
		if c.Key != "" {
			key, err := os.ReadFile(c.Key)
			if err != nil {
				return err
			}
			if err := house.accounts.AddOpenPGPKey(ctx, operator(), c.User, string(key)); err != nil && !errors.Is(err, fs.ErrExist) {
				return err
			}
			keys = append(slices.Clone(keys), string(key))
		}
		if _, err := sealed.Seal(nil, keys, rand.Reader, time.Now()); err != nil {
			return fmt.Errorf("%s has %w: give a file that gpg --armor --export has written", c.User, err)
		}
		err = house.config.EditMail(ctx, operator(), "Seal the mail of "+c.User, func(m *config.Mail) error {
			if !slices.Contains(m.Sealed, c.User) {
				m.Sealed = append(m.Sealed, c.User)
			}
			return nil
		})
		if err == nil {
			fmt.Fprintf(term.out, "What comes for %s from now on can be read with the private key alone: keep a copy of it.\n", c.User)
		}
		return err
	})
}

type mailUnseal struct {
	User string `arg:""`
}

func (c *mailUnseal) Run(ctx context.Context, h home) error {
	return withHouse(ctx, h, func(house *house) error {
		return house.config.EditMail(ctx, operator(), "Seal the mail of "+c.User+" no longer", func(m *config.Mail) error {
			m.Sealed = slices.DeleteFunc(m.Sealed, func(u string) bool { return u == c.User })
			return nil
		})
	})
}

type mailPrune struct {
	User      string `arg:""`
	OlderThan string `required:"" placeholder:"AGE" help:"What was deleted so long ago or longer: '30 days', or a date."`
}

func (c *mailPrune) Run(ctx context.Context, h home, term terminal) error {
	now := time.Now()
	before, err := parseWhen(c.OlderThan+" ago", now)
	if err != nil {
		before, err = parseWhen(c.OlderThan, now)
	}
	if err != nil {
		return err
	}
	return withHouse(ctx, h, func(house *house) error {
		if _, err := house.knownUser(ctx, c.User); err != nil {
			return err
		}
		boxes := mail.OpenBoxes(libos.Env{}, house.repo, house.config)
		some, err := boxes.Prune(ctx, store.Change{Author: operator(), Message: "Forget what was deleted before " + before.Format(time.DateOnly) + "\n"}, c.User, before)
		if errors.Is(err, fs.ErrNotExist) || err == nil && !some {
			fmt.Fprintln(term.err, "There was nothing to forget.")
			return nil
		}
		if err != nil {
			return err
		}
		fmt.Fprintf(term.out, "What %s deleted before %s is in no history here any more; its space is freed within two weeks, or at once by git gc --prune=now. Clones and backups still have it until they follow.\n", c.User, before.Format(time.DateOnly))
		return nil
	})
}
