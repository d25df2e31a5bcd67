package reports

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"cairn/services/accounts"
	"cairn/services/config"
	"cairn/services/mail"
	"cairn/store"
	"cairn/store/mem"
	"cairn/store/object"
)

const tlsReport = `{"organization-name":"Elsewhere","date-range":{"start-datetime":"2026-11-20T00:00:00Z","end-datetime":"2026-11-21T00:00:00Z"},` +
	`"contact-info":"tls@elsewhere.example","report-id":"%s","policies":[{"policy":{"policy-type":"sts","policy-domain":"example.org"},` +
	`"summary":{"total-successful-session-count":7,"total-failure-session-count":1}}]}`

const dmarcReport = `<?xml version="1.0"?><feedback><report_metadata><org_name>Elsewhere</org_name><email>d@elsewhere.example</email>` +
	`<report_id>%s</report_id><date_range><begin>1700000000</begin><end>1700086400</end></date_range></report_metadata>` +
	`<policy_published><domain>example.org</domain><p>none</p></policy_published><record><row><source_ip>192.0.2.1</source_ip><count>3</count>` +
	`<policy_evaluated><disposition>none</disposition><dkim>pass</dkim><spf>fail</spf></policy_evaluated></row>` +
	`<identifiers><header_from>example.org</header_from></identifiers></record></feedback>`

// a house that serves example.org.
func open(t *testing.T, now func() time.Time) (*mail.Service, *store.Branch) {
	t.Helper()
	repo := store.New(mem.New(), store.Options{Now: now})
	conf := config.Open(repo.Branch("config"))
	check(t, conf.AddDomain(context.Background(), object.Signature{}, config.Domain{Name: "example.org"}))
	return &mail.Service{
		Repo: repo, Config: conf, Accounts: accounts.New(repo.Branch("accounts")), Now: now, Log: slog.New(slog.DiscardHandler),
		Sinks: []mail.Sink{&Reports{Addresses: []string{"dmarc-reports", "tls-reports"}, Now: now}},
	}, repo.Branch(Branch)
}

func letter(kind, report string) []byte {
	return []byte("From: reports@elsewhere.example\r\nContent-Type: " + kind + "\r\n\r\n" + report + "\r\n")
}

func send(s *mail.Service, to string, raw []byte) error {
	return s.Accept(context.Background(), &mail.Incoming{From: "reports@elsewhere.example", To: []mail.Recipient{{Address: to}}, Raw: raw})
}

func list(t *testing.T, b *store.Branch) []*Report {
	t.Helper()
	var all []*Report
	for r, err := range List(context.Background(), b) {
		check(t, err)
		all = append(all, r)
	}
	return all
}

func TestReports(t *testing.T) {
	now := time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)
	s, b := open(t, func() time.Time { return now })
	if got := list(t, b); len(got) != 0 {
		t.Fatalf("before the first: got %v, want none", got)
	}
	check(t, send(s, "tls-reports@example.org", letter("application/tlsrpt+json", fmt.Sprintf(tlsReport, "1"))))
	check(t, send(s, "DMARC-reports@example.org", letter("text/xml", fmt.Sprintf(dmarcReport, "2"))))
	check(t, send(s, "dmarc-reports@example.org", letter("text/xml", fmt.Sprintf(dmarcReport, "2"))))
	got := list(t, b)
	if len(got) != 2 || got[0].DMARC == nil || got[0].DMARC.ID != "2" || got[1].TLS == nil || got[1].TLS.ID != "1" || !got[0].Received.Equal(now) {
		t.Errorf("got %+v, want a report of DMARC and one of TLS", got)
	}

	var refusal *mail.Refusal
	if err := send(s, "tls-reports@example.org", []byte("Subject: hello\r\n\r\nhi\r\n")); !errors.As(err, &refusal) || refusal.Code != 550 {
		t.Errorf("no report: got %v, want 550", err)
	}
	if err := send(s, "tls-reports@elsewhere.example", nil); err == nil {
		t.Error("elsewhere: got nil, want an error")
	}

	now = time.Date(2027, 2, 1, 0, 0, 0, 0, time.UTC)
	check(t, send(s, "dmarc-reports@example.org", letter("text/xml", fmt.Sprintf(dmarcReport, "3"))))
	if got := list(t, b); len(got) != 1 || got[0].DMARC.ID != "3" {
		t.Errorf("a year later: got %+v, want only the new one", got)
	}
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
