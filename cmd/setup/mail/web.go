package mail

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"strings"

	"cairn/services/config"
	"cairn/services/mail/domain"
	"cairn/services/mail/sealed"
)

// Setup is what is known of a domain, for the records of its DNS and for mail programs. Absent is
// fs.ErrNotExist.
func (m *Mail) Setup(ctx context.Context, name string) (*domain.Setup, error) {
	d, err := m.Config.Domain(ctx, name)
	if err != nil {
		return nil, err
	}
	s := SetupOf(d, m.service.Host(ctx))
	s.Keys, err = domain.Keys{Secrets: m.Secrets}.Records(ctx, d)
	return s, err
}

// SetupOf is what the configuration says of a domain.
func SetupOf(d *config.Domain, host string) *domain.Setup {
	return &domain.Setup{Domain: d.Name, Host: host, Policy: d.MTASTS, PolicyID: d.MTASTSID, Web: true, WKD: true}
}

// Also returns what answers mail programs, and servers that ask for a domain's policy; nil for other
// requests.
func (m *Mail) Also(r *http.Request) http.Handler {
	if sealed.Handles(r) {
		return m.directory()
	}
	if !domain.Handles(r) {
		return nil
	}
	return &domain.Web{Find: m.Setup, Default: m.first, Ports: m.known(), Log: m.Env.Log}
}

// first is the first domain that is served.
func (m *Mail) first(ctx context.Context) string {
	if domains, _ := m.Config.Domains(ctx); len(domains) > 0 { // what can be read of them
		return domains[0].Name
	}
	return ""
}

// known are the ports that programs are told of. Those of this machine are others than the world's where
// it is only tried, or something leads the world's here.
func (m *Mail) known() domain.Ports {
	p := domain.Standard
	if m.ports.imaps == nil {
		p.IMAPS = 0
	}
	if m.ports.submissions == nil {
		p.Submissions = 0
	}
	return p
}

// Names are the host names that lead here for the sake of mail, for certificates.
func Names(ctx context.Context, c *config.Config) []string {
	domains, err := c.Domains(ctx)
	if err != nil && len(domains) == 0 {
		return nil // there are none, or none can be read: then there is no mail either
	}
	var names []string
	settings, err := c.Mail(ctx)
	if err == nil && settings.Host != "" {
		names = append(names, settings.Host)
	}
	for i, d := range domains {
		if i == 0 && (err != nil || settings.Host == "") {
			names = append(names, "mail."+d.Name)
		}
		names = append(names, SetupOf(d, "").Names()...)
	}
	return names
}

// Told is where mail programs find their servers, for a person; friendly writes an address as they
// would type it.
func (m *Mail) Told(friendly func(net.Listener) string) string {
	var list []string
	for _, p := range []struct {
		what string
		l    net.Listener
	}{{"imap", m.ports.imap}, {"imaps", m.ports.imaps}, {"submission", m.ports.submission}, {"submissions", m.ports.submissions}} {
		if p.l != nil {
			list = append(list, fmt.Sprintf("%s://%s", p.what, friendly(p.l)))
		}
	}
	return strings.Join(list, "  ")
}
