package main

import (
	"cmp"
	"context"
	"crypto"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/netip"
	"strings"
	"text/tabwriter"
	"time"

	"cairn/cmd/setup/mail"
	"cairn/net/certs"
	"cairn/services/config"
	"cairn/services/mail/domain"
)

type domainCommands struct {
	Add     domainAdd     `cmd:"" help:"Serve the mail of a domain: makes its keys and prints what its DNS has to say."`
	Records domainRecords `cmd:"" help:"What the DNS of a domain has to say, once more."`
	Check   domainCheck   `cmd:"" help:"Look whether the DNS says so, and whether mail can come and leave."`
	List    domainList    `cmd:"" help:"Domains whose mail is served."`
	Set     domainSet     `cmd:"" help:"Catch-all and MTA-STS of a domain."`
	Alias   domainAlias   `cmd:"" help:"An address that leads to users, or elsewhere."`
	Rotate  domainRotate  `cmd:"" help:"New keys: first makes them; with --switch signs with them."`
	Remove  domainRemove  `cmd:"" help:"Serve the mail of a domain no longer. Mail that has come stays."`
}

// domainFlags are what only the person at the terminal knows of a domain.
type domainFlags struct {
	Address []string `placeholder:"IP" help:"The machine's address in the internet, where it is another one than its own."`
	Issuer  string   `default:"letsencrypt.org" help:"Who gives certificates, for the CAA record."`
	Dav     string   `placeholder:"HOST" help:"Where calendars and contacts are served over TLS, such as dav.example.org."`
	Zone    bool     `help:"As a zone file alone, for a name server to read."`
}

// setup is all there is to know of a domain.
func (f *domainFlags) setup(ctx context.Context, house *house, name string) (*domain.Setup, error) {
	d, err := house.knownDomain(ctx, name)
	if err != nil {
		return nil, err
	}
	host, err := house.mailHost(ctx)
	if err != nil {
		return nil, err
	}
	s := mail.SetupOf(d, host)
	s.Issuer, s.Dav = f.Issuer, f.Dav
	if s.Addresses, err = publicAddresses(f.Address); err != nil {
		return nil, err
	}
	if s.TLSA, err = house.keyHashes(host); err != nil {
		return nil, err
	}
	s.Keys, err = domain.Keys{Secrets: house.secrets}.Records(ctx, d)
	return s, err
}

// keyHashes are those of the keys with which the machine shows that it is the host: under a certificate of an
// authority, and under our own.
func (h *house) keyHashes(host string) ([]string, error) {
	key, err := certs.NameKey(h.seed, host)
	if err != nil {
		return nil, err
	}
	own, err := certs.FromSeed(h.seed, host)
	if err != nil {
		return nil, err
	}
	var list []string
	for _, pub := range []crypto.PublicKey{key.Public(), own.Leaf().PublicKey} {
		hash, err := certs.KeyHash(pub)
		if err != nil {
			return nil, err
		}
		list = append(list, hash)
	}
	return list, nil
}

// knownDomain returns a domain that is served.
func (h *house) knownDomain(ctx context.Context, name string) (*config.Domain, error) {
	d, err := h.config.Domain(ctx, strings.ToLower(name))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("no mail of %q is served: `cairn domain list` shows which domains are, `cairn domain add %s` adds it", name, name)
	}
	return d, err
}

// mailHost is the machine's name in mail.
func (h *house) mailHost(ctx context.Context) (string, error) {
	m, err := h.config.Mail(ctx)
	if err != nil {
		return "", err
	}
	domains, err := h.config.Domains(ctx)
	if err != nil && len(domains) == 0 {
		return "", err
	}
	if m.Host == "" && len(domains) > 0 {
		return "mail." + domains[0].Name, nil
	}
	return cmp.Or(m.Host, "localhost"), nil
}

// publicAddresses are those that were said, or else those of this machine that the internet knows.
func publicAddresses(said []string) (list []netip.Addr, err error) {
	for _, text := range said {
		a, err := netip.ParseAddr(text)
		if err != nil {
			return nil, fmt.Errorf("--address %s is no address", text)
		}
		list = append(list, a)
	}
	if len(said) > 0 {
		return list, nil
	}
	own, err := net.InterfaceAddrs()
	if err != nil {
		return nil, nil // then they are the person's to know
	}
	for _, a := range own {
		p, err := netip.ParsePrefix(a.String())
		if err == nil && p.Addr().IsGlobalUnicast() && !p.Addr().IsPrivate() {
			list = append(list, p.Addr())
		}
	}
	return list, nil
}

// tell prints what the DNS has to say.
func (f *domainFlags) tell(term terminal, s *domain.Setup) error {
	records := s.Records()
	if f.Zone {
		_, err := fmt.Fprint(term.out, domain.Zone(records))
		return err
	}
	w := tabwriter.NewWriter(term.out, 0, 0, 2, ' ', 0)
	why := ""
	for _, r := range records {
		if r.Why != why {
			fmt.Fprintf(w, "# %s\n", r.Why)
		}
		why = r.Why
		fmt.Fprintf(w, "%s\t%s\t%s\n", r.Name, r.Type, r.Value)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if len(s.Addresses) == 0 {
		fmt.Fprintf(term.out, "\nand %s needs the address (A, AAAA) that this machine has in the internet: --address\n", s.Host)
	}
	fmt.Fprintf(term.out, "\nThe reverse DNS of the address has to be %s: whoever gives you the address sets it.\n"+
		"As a zone file: cairn domain records %s --zone\nWhen it is there: cairn domain check %s\n", s.Host, s.Domain, s.Domain)
	return nil
}

type domainAdd struct {
	domainFlags
	Name string `arg:"" help:"Such as example.org."`
	Host string `placeholder:"NAME" help:"The machine's name in mail. Default: mail.DOMAIN of the first domain."`
}

func (c *domainAdd) Run(ctx context.Context, h home, term terminal) error {
	return withHouse(ctx, h, func(house *house) error {
		name := strings.ToLower(c.Name)
		if !domainNew(ctx, house, name) {
			return fmt.Errorf("the mail of %s is served already: `cairn domain records %s` prints what its DNS has to say", name, name)
		}
		if !config.ValidDomain(name) {
			return fmt.Errorf("%q is no domain: it is two names or more with a dot between them, such as example.org (xn--… where it is not ASCII)", c.Name)
		}
		if c.Host != "" {
			err := house.config.EditMail(ctx, operator(), "Call the machine "+c.Host, func(m *config.Mail) error {
				m.Host = strings.ToLower(c.Host)
				return nil
			})
			if err != nil {
				return err
			}
		}
		now := time.Now()
		keys, err := domain.Keys{Secrets: house.secrets}.Make(ctx, operator(), name, now)
		if err != nil {
			return err
		}
		d := config.Domain{Name: name, DKIM: keys, MTASTS: "testing", MTASTSID: policyID(now)}
		if err := house.config.AddDomain(ctx, operator(), d); err != nil {
			return err
		}
		s, err := c.setup(ctx, house, name)
		if err != nil {
			return err
		}
		if !c.Zone {
			fmt.Fprintf(term.out, "Mail of %s is served from now on. Its DNS has to say:\n\n", name)
		}
		return c.tell(term, s)
	})
}

func domainNew(ctx context.Context, house *house, name string) bool {
	_, err := house.config.Domain(ctx, name)
	return errors.Is(err, fs.ErrNotExist)
}

// policyID is another one at each second (RFC 8461 §3.1).
func policyID(now time.Time) string { return now.UTC().Format("20060102150405") }

type domainRecords struct {
	domainFlags
	Name string `arg:""`
}

func (c *domainRecords) Run(ctx context.Context, h home, term terminal) error {
	return withHouse(ctx, h, func(house *house) error {
		s, err := c.setup(ctx, house, c.Name)
		if err != nil {
			return err
		}
		return c.tell(term, s)
	})
}

type domainList struct{}

func (c *domainList) Run(ctx context.Context, h home, term terminal) error {
	return withHouse(ctx, h, func(house *house) error {
		list, err := house.config.Domains(ctx)
		if len(list) == 0 && err == nil {
			fmt.Fprintln(term.err, "There is none yet: `cairn domain add` adds one. Until then people here can write to each other.")
			return nil
		}
		w := tabwriter.NewWriter(term.out, 0, 0, 2, ' ', 0)
		for _, d := range list {
			said := []string{fmt.Sprintf("%d aliases", len(d.Aliases))}
			if d.CatchAll != "" {
				said = append(said, "the rest to "+d.CatchAll)
			}
			if d.MTASTS != "" {
				said = append(said, "MTA-STS "+d.MTASTS)
			}
			if len(d.DKIMNext) > 0 {
				said = append(said, "new keys wait for the DNS")
			}
			fmt.Fprintf(w, "%s\t%s\n", d.Name, strings.Join(said, ", "))
		}
		return errors.Join(w.Flush(), err)
	})
}

type domainRemove struct {
	Name string `arg:""`
}

func (c *domainRemove) Run(ctx context.Context, h home) error {
	return withHouse(ctx, h, func(house *house) error {
		d, err := house.knownDomain(ctx, c.Name)
		if err != nil {
			return err
		}
		return house.config.RemoveDomain(ctx, operator(), d.Name)
	})
}
