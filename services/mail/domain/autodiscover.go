package domain

import (
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"strings"
)

const (
	responseSchema = "http://schemas.microsoft.com/exchange/autodiscover/outlook/responseschema/2006a"
	// maxAsk bounds what a program asks, in bytes.
	maxAsk = 16 << 10
)

// autodiscover answers Outlook and others ([MS-OXDSCLI], the settings of POP and IMAP accounts).
func (w *Web) autodiscover(rw http.ResponseWriter, r *http.Request) {
	var ask struct {
		Address string `xml:"Request>EMailAddress"`
	}
	d := xml.NewDecoder(io.LimitReader(r.Body, maxAsk))
	if err := d.Decode(&ask); err != nil || !strings.Contains(ask.Address, "@") || len(ask.Address) > 320 {
		http.Error(rw, "The request names no e-mail address.", http.StatusBadRequest)
		return
	}
	s, err := w.of(r, ask.Address)
	if err != nil {
		w.fail(rw, err, "No mail of this domain is served here.")
		return
	}
	in, out := s.servers(w.Ports)
	var b strings.Builder
	fmt.Fprintf(&b, "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<Autodiscover xmlns=\"http://schemas.microsoft.com/exchange/autodiscover/responseschema/2006\">\n  <Response xmlns=\"%s\">\n    <Account>\n      <AccountType>email</AccountType>\n      <Action>settings</Action>\n", responseSchema)
	for _, list := range [][]server{in, out} {
		for i, v := range list {
			if i == 0 { // Outlook takes one of a kind
				v.protocol(&b, ask.Address)
			}
		}
	}
	b.WriteString("    </Account>\n  </Response>\n</Autodiscover>\n")
	xmlAnswer(rw, "application/xml", b.String())
}

func (v *server) protocol(b *strings.Builder, address string) {
	encryption := map[string]string{"SSL": "SSL", "STARTTLS": "TLS"}[v.tls]
	fmt.Fprintf(b, "      <Protocol>\n        <Type>%s</Type>\n        <Server>%s</Server>\n        <Port>%d</Port>\n        <DomainRequired>off</DomainRequired>\n        <LoginName>%s</LoginName>\n        <SPA>off</SPA>\n        <SSL>on</SSL>\n        <Encryption>%s</Encryption>\n        <AuthRequired>on</AuthRequired>\n      </Protocol>\n",
		v.autodiscover, escaped(v.host), v.port, escaped(address), encryption)
}
