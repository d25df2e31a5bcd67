package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"cairn/services/config"
	"cairn/services/mail/domain"
)

// editDomain changes a domain that is served.
func (h *house) editDomain(ctx context.Context, name, what string, f func(*config.Domain) error) error {
	d, err := h.knownDomain(ctx, name)
	if err != nil {
		return err
	}
	return h.config.EditDomain(ctx, operator(), d.Name, what+" of "+d.Name, f)
}

type domainSet struct {
	Name     string  `arg:""`
	CatchAll *string `placeholder:"USER" help:"Who gets what is sent to an address that nobody has; empty: nobody."`
	MTASTS   *string `name:"mta-sts" placeholder:"MODE" help:"testing, then enforce, when check finds nothing wrong; none, and after a month empty, to be rid of it."`
}

func (c *domainSet) Run(ctx context.Context, h home) error {
	if c.CatchAll == nil && c.MTASTS == nil {
		return errors.New("say what is to change: --catch-all USER, --mta-sts MODE")
	}
	return withHouse(ctx, h, func(house *house) error {
		if c.CatchAll != nil && *c.CatchAll != "" {
			if _, err := house.knownUser(ctx, *c.CatchAll); err != nil {
				return err
			}
		}
		return house.editDomain(ctx, c.Name, "Settings", func(d *config.Domain) error {
			if c.CatchAll != nil {
				d.CatchAll = *c.CatchAll
			}
			if c.MTASTS != nil && d.MTASTS != *c.MTASTS {
				d.MTASTS, d.MTASTSID = *c.MTASTS, policyID(time.Now())
			}
			return nil
		})
	})
}

type domainAlias struct {
	Add    domainAliasAdd    `cmd:"" help:"Have mail for an address led to users, or to addresses elsewhere."`
	Remove domainAliasRemove `cmd:"" help:"Take an alias away."`
	List   domainAliasList   `cmd:"" help:"All aliases of a domain."`
}

type domainAliasAdd struct {
	Address string   `arg:"" help:"Such as info@example.org."`
	To      []string `arg:"" help:"Users' names, and addresses."`
}

// splitAlias takes an address apart.
func splitAlias(address string) (local, host string, err error) {
	local, host, ok := strings.Cut(strings.ToLower(address), "@")
	if !ok {
		return "", "", fmt.Errorf("%q is no address: say which domain, such as %s@example.org", address, address)
	}
	return local, host, nil
}

func (c *domainAliasAdd) Run(ctx context.Context, h home) error {
	local, host, err := splitAlias(c.Address)
	if err != nil {
		return err
	}
	return withHouse(ctx, h, func(house *house) error {
		for _, to := range c.To {
			if strings.Contains(to, "@") {
				continue
			}
			if _, err := house.knownUser(ctx, to); err != nil {
				return err
			}
		}
		return house.editDomain(ctx, host, "Alias "+local, func(d *config.Domain) error {
			if d.Aliases == nil {
				d.Aliases = map[string][]string{}
			}
			d.Aliases[local] = c.To
			return nil
		})
	})
}

type domainAliasRemove struct {
	Address string `arg:""`
}

func (c *domainAliasRemove) Run(ctx context.Context, h home) error {
	local, host, err := splitAlias(c.Address)
	if err != nil {
		return err
	}
	return withHouse(ctx, h, func(house *house) error {
		return house.editDomain(ctx, host, "No alias "+local, func(d *config.Domain) error {
			if d.Aliases[local] == nil {
				return fmt.Errorf("there is no alias %s: `cairn domain alias list %s` shows those there are", c.Address, host)
			}
			delete(d.Aliases, local)
			return nil
		})
	})
}

type domainAliasList struct {
	Name string `arg:""`
}

func (c *domainAliasList) Run(ctx context.Context, h home, term terminal) error {
	return withHouse(ctx, h, func(house *house) error {
		d, err := house.knownDomain(ctx, c.Name)
		if err != nil {
			return err
		}
		var locals []string
		for local := range d.Aliases {
			locals = append(locals, local)
		}
		slices.Sort(locals)
		w := tabwriter.NewWriter(term.out, 0, 0, 2, ' ', 0)
		for _, local := range locals {
			fmt.Fprintf(w, "%s@%s\t%s\n", local, d.Name, strings.Join(d.Aliases[local], " "))
		}
		return w.Flush()
	})
}

type domainRotate struct {
	Name   string `arg:""`
	Switch bool   `help:"Sign with the new keys from now on. Leave the old ones in the DNS for a week: mail that is on its way was signed with them."`
}

func (c *domainRotate) Run(ctx context.Context, h home, term terminal) error {
	return withHouse(ctx, h, func(house *house) error {
		d, err := house.knownDomain(ctx, c.Name)
		if err != nil {
			return err
		}
		if c.Switch {
			return house.editDomain(ctx, d.Name, "Sign with new keys", func(d *config.Domain) error {
				if len(d.DKIMNext) == 0 {
					return fmt.Errorf("there are no new keys: `cairn domain rotate %s` makes them", d.Name)
				}
				d.DKIM, d.DKIMNext = d.DKIMNext, nil
				return nil
			})
		}
		if len(d.DKIMNext) > 0 {
			return fmt.Errorf("there are new keys already, which wait for the DNS: `cairn domain check %s`, then `cairn domain rotate --switch %s`", d.Name, d.Name)
		}
		keys := domain.Keys{Secrets: house.secrets}
		selectors, err := keys.Make(ctx, operator(), d.Name, time.Now())
		if err != nil {
			return err
		}
		err = house.editDomain(ctx, d.Name, "New keys", func(d *config.Domain) error { d.DKIMNext = selectors; return nil })
		if err != nil {
			return err
		}
		records, err := keys.Records(ctx, &config.Domain{Name: d.Name, DKIM: selectors})
		if err != nil {
			return err
		}
		fmt.Fprintln(term.out, "Put these into the DNS beside the old ones:")
		for _, k := range records {
			fmt.Fprintf(term.out, "%s._domainkey.%s  TXT  %s\n", k.Selector, d.Name, k.Text)
		}
		fmt.Fprintf(term.out, "Then: cairn domain check %s, and when it finds them: cairn domain rotate --switch %s\n", d.Name, d.Name)
		return nil
	})
}
