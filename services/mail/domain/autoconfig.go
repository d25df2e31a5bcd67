package domain

import (
	"fmt"
	"net/http"
	"strings"
)

// autoconfig answers Thunderbird and others (autoconfig, config-v1.1.xml). Without an address in the
// request the answer holds a placeholder for it, as the format allows, and is as valid.
func (w *Web) autoconfig(rw http.ResponseWriter, r *http.Request) {
	address := r.URL.Query().Get("emailaddress")
	if len(address) > 320 || strings.ContainsFunc(address, func(c rune) bool { return c < ' ' || c == '<' || c == '>' }) {
		http.Error(rw, "This is no address.", http.StatusBadRequest)
		return
	}
	s, err := w.of(r, address)
	if err != nil {
		w.fail(rw, err, "No mail of this domain is served here.")
		return
	}
	user := address
	if !strings.Contains(user, "@") {
		user = "%EMAILADDRESS%"
	}
	in, out := s.servers(w.Ports)
	var b strings.Builder
	fmt.Fprintf(&b, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<clientConfig version=\"1.1\">\n  <emailProvider id=\"%s\">\n    <domain>%[1]s</domain>\n    <displayName>%[1]s</displayName>\n    <displayShortName>%[1]s</displayShortName>\n", escaped(s.Domain))
	for _, v := range in {
		v.write(&b, "incomingServer", user)
	}
	for _, v := range out {
		v.write(&b, "outgoingServer", user)
	}
	b.WriteString("  </emailProvider>\n</clientConfig>\n")
	xmlAnswer(rw, "text/xml", b.String())
}

func (v *server) write(b *strings.Builder, element, user string) {
	fmt.Fprintf(b, "    <%s type=\"%s\">\n      <hostname>%s</hostname>\n      <port>%d</port>\n      <socketType>%s</socketType>\n      <authentication>password-cleartext</authentication>\n      <username>%s</username>\n    </%[1]s>\n",
		element, v.kind, escaped(v.host), v.port, v.tls, escaped(user))
}
