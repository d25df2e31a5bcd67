package domain

import (
	"fmt"
	"net"
	"strings"
)

// A Record is one of the DNS.
type Record struct {
	Name  string // complete, without the last dot
	Type  string // MX, A, AAAA, TXT, CNAME, SRV, TLSA, CAA
	Value string // as in a zone file, but a TXT in one piece and without quotes; names without the last dot
	Why   string // what it is for, in a few words
	// Need is how bad it is when the record is not there.
	Need Need
}

// Need is how much a record is needed.
type Need int

const (
	Must   Need = iota // without it mail does not come, or others do not take ours
	Should             // without it something works worse
	May                // it helps some
)

// Records returns everything that the DNS has to say of the domain.
func (s *Setup) Records() []Record {
	list := []Record{{s.Domain, "MX", "10 " + s.Host, "mail comes here", Must}}
	list = append(list, s.hostRecords()...)
	list = append(list, s.senderRecords()...)
	list = append(list, s.transportRecords()...)
	return append(list, s.programRecords()...)
}

// hostRecords are the machine's own.
func (s *Setup) hostRecords() (list []Record) {
	for _, a := range s.Addresses {
		kind := "AAAA"
		if a.Is4() {
			kind = "A"
		}
		list = append(list, Record{s.Host, kind, a.String(), "the machine", Must})
	}
	if s.Host != s.Domain {
		list = append(list, Record{s.Host, "TXT", "v=spf1 a -all", "nobody else may greet as this machine (SPF)", Should})
	}
	return list
}

// senderRecords let others see which mail is ours.
func (s *Setup) senderRecords() []Record {
	list := []Record{{s.Domain, "TXT", "v=spf1 mx -all", "only the machine sends mail of the domain (SPF)", Must}}
	for _, k := range s.Keys {
		list = append(list, Record{k.Selector + "._domainkey." + s.Domain, "TXT", k.Text, "mail is signed (DKIM)", Must})
	}
	return append(list, Record{"_dmarc." + s.Domain, "TXT", fmt.Sprintf("v=DMARC1; p=quarantine; rua=mailto:%s@%s", DMARCReports, s.Domain),
		"what is neither sent nor signed by us is suspicious (DMARC)", Must})
}

// transportRecords make sure that mail comes encrypted.
func (s *Setup) transportRecords() (list []Record) {
	if s.Policy != "" {
		list = append(list,
			Record{"_mta-sts." + s.Domain, "TXT", "v=STSv1; id=" + s.PolicyID, "mail comes encrypted or not at all (MTA-STS)", Should},
			Record{PolicyHost(s.Domain), "CNAME", s.Host, "where the policy of MTA-STS is", Should})
	}
	list = append(list, Record{"_smtp._tls." + s.Domain, "TXT", fmt.Sprintf("v=TLSRPTv1; rua=mailto:%s@%s", TLSReports, s.Domain),
		"others tell when encryption fails (TLSRPT)", Should})
	for _, hash := range s.TLSA {
		list = append(list, Record{"_25._tcp." + s.Host, "TLSA", "3 1 1 " + hash, "the key of the server (DANE); it counts where the domain is signed by DNSSEC", May})
	}
	if s.Issuer != "" {
		list = append(list, Record{s.Domain, "CAA", `0 issue "` + s.Issuer + `"`, "only this authority gives certificates", Should})
	}
	return list
}

// programRecords tell mail programs where the servers are (RFC 6186, RFC 8314, RFC 6764).
func (s *Setup) programRecords() []Record {
	srv := func(service, priority string, host string, port int, why string) Record {
		return Record{service + "._tcp." + s.Domain, "SRV", fmt.Sprintf("%s 1 %d %s", priority, port, host), why, May}
	}
	list := []Record{
		srv("_imaps", "0", s.Host, 993, "programs find where to read"),
		srv("_imap", "10", s.Host, 143, "programs find where to read"),
		srv("_submissions", "0", s.Host, 465, "programs find where to send"),
		srv("_submission", "10", s.Host, 587, "programs find where to send"),
		srv("_sieve", "0", s.Host, 4190, "programs find where filters are"),
	}
	if s.Dav != "" {
		host, port := hostPort(s.Dav)
		list = append(list, srv("_caldavs", "0", host, port, "programs find calendars"), srv("_carddavs", "0", host, port, "programs find contacts"))
	}
	if s.Web {
		list = append(list,
			Record{"autoconfig." + s.Domain, "CNAME", s.Host, "programs such as Thunderbird set themselves up", May},
			Record{"autodiscover." + s.Domain, "CNAME", s.Host, "programs such as Outlook set themselves up", May},
			srv("_autodiscover", "0", s.Host, 443, "programs such as Outlook set themselves up"))
	}
	if s.Web && s.WKD {
		list = append(list, Record{"openpgpkey." + s.Domain, "CNAME", s.Host, "programs find people's OpenPGP keys (WKD)", May})
	}
	return list
}

func hostPort(at string) (string, int) {
	host, port, err := net.SplitHostPort(at)
	if err != nil {
		return at, 443
	}
	n := 443
	if _, err := fmt.Sscan(port, &n); err != nil {
		return host, 443
	}
	return host, n
}

// Names are the host names of the domain that lead to the web service, for its certificate.
func (s *Setup) Names() []string {
	if !s.Web {
		return nil
	}
	names := []string{"autoconfig." + s.Domain, "autodiscover." + s.Domain}
	if s.Policy != "" {
		names = append(names, PolicyHost(s.Domain))
	}
	if s.WKD {
		names = append(names, "openpgpkey."+s.Domain)
	}
	return names
}

// Zone returns records as a file that name servers read (RFC 1035 §5).
func Zone(records []Record) string {
	var b strings.Builder
	for _, r := range records {
		fmt.Fprintf(&b, "%s. 3600 IN %s %s ; %s\n", r.Name, r.Type, r.rdata(), r.Why)
	}
	return b.String()
}

// rdata is the value as it stands in a zone file.
func (r Record) rdata() string {
	switch r.Type {
	case "MX", "SRV", "CNAME":
		return r.Value + "."
	case "TXT":
		var parts []string
		for text := r.Value; len(text) > 0; {
			n := min(len(text), 255) // bytes of a string (RFC 1035 §3.3)
			parts = append(parts, `"`+strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(text[:n])+`"`)
			text = text[n:]
		}
		return strings.Join(parts, " ")
	}
	return r.Value
}
