package self

import (
	"crypto/sha256"
	"encoding/xml"
	"fmt"
	"net/url"
	"strconv"
	"strings"
)

// A setUp is what a device is set up with.
type setUp struct {
	base, user, device, password string
	calendars                    bool
	mail                         *Mail // nil: none
}

// profile returns a configuration profile (Apple, Configuration Profile Reference: CalDAV, CardDAV and
// Mail payloads) that sets up calendars, contacts and mail on a device.
func (s *setUp) profile() ([]byte, error) {
	u, err := url.Parse(s.base)
	if err != nil {
		return nil, err
	}
	id := "cairn." + u.Hostname() + "." + s.user + "." + uuid(s.device)[:8]
	var content []dict
	var what []string
	if s.calendars {
		content = append(content, s.dav(u, id, "CalDAV", "Calendars"), s.dav(u, id, "CardDAV", "Contacts"))
		what = append(what, "calendars", "contacts")
	}
	if s.mail != nil {
		content = append(content, s.mailbox(id))
		what = append(what, "mail")
	}
	list := strings.Join(what, ", ")
	return plist(dict{
		{"PayloadType", "Configuration"}, {"PayloadVersion", 1}, {"PayloadIdentifier", id}, {"PayloadUUID", uuid(id)},
		{"PayloadDisplayName", strings.ToUpper(list[:1]) + list[1:] + " at " + u.Hostname()},
		{"PayloadDescription", "Sets up " + list + " of " + s.user + " on " + s.device + "."},
		{"PayloadRemovalDisallowed", false},
		{"PayloadContent", content},
	}), nil
}

// dav sets up CalDAV or CardDAV.
func (s *setUp) dav(u *url.URL, id, prefix, what string) dict {
	tls := u.Scheme == "https"
	port, err := strconv.Atoi(u.Port())
	if err != nil {
		if port = 80; tls {
			port = 443
		}
	}
	kind := strings.ToLower(prefix)
	return dict{
		{"PayloadType", "com.apple." + kind + ".account"}, {"PayloadVersion", 1},
		{"PayloadIdentifier", id + "." + kind}, {"PayloadUUID", uuid(id + kind)}, {"PayloadDisplayName", what + " of " + s.user},
		{prefix + "AccountDescription", u.Hostname()}, {prefix + "HostName", u.Hostname()}, {prefix + "Port", port},
		{prefix + "UseSSL", tls}, {prefix + "Username", s.user}, {prefix + "Password", s.password},
		{prefix + "PrincipalURL", "/principals/" + s.user + "/"},
	}
}

// mailbox sets up IMAP and the submission of mail.
func (s *setUp) mailbox(id string) dict {
	m := s.mail
	return dict{
		{"PayloadType", "com.apple.mail.managed"}, {"PayloadVersion", 1},
		{"PayloadIdentifier", id + ".mail"}, {"PayloadUUID", uuid(id + "mail")}, {"PayloadDisplayName", "Mail of " + s.user},
		{"EmailAccountType", "EmailTypeIMAP"}, {"EmailAccountDescription", m.Address}, {"EmailAccountName", m.Name}, {"EmailAddress", m.Address},
		{"IncomingMailServerAuthentication", "EmailAuthPassword"}, {"IncomingMailServerHostName", m.Host},
		{"IncomingMailServerPortNumber", m.IMAP}, {"IncomingMailServerUseSSL", m.TLS},
		{"IncomingMailServerUsername", s.user}, {"IncomingPassword", s.password},
		{"OutgoingMailServerAuthentication", "EmailAuthPassword"}, {"OutgoingMailServerHostName", m.Host},
		{"OutgoingMailServerPortNumber", m.Submission}, {"OutgoingMailServerUseSSL", m.TLS},
		{"OutgoingMailServerUsername", s.user}, {"OutgoingPasswordSameAsIncomingPassword", true},
	}
}

// uuid is a UUID made of a name (RFC 9562 §5.8), so that a profile takes the place
// of an older one for the same device.
func uuid(name string) string {
	sum := sha256.Sum256([]byte("cairn profile\x00" + name))
	sum[6] = sum[6]&0x0f | 0x80
	sum[8] = sum[8]&0x3f | 0x80
	return strings.ToUpper(fmt.Sprintf("%x-%x-%x-%x-%x", sum[0:4], sum[4:6], sum[6:8], sum[8:10], sum[10:16]))
}

// A dict is one of a property list.
type dict []struct {
	key   string
	value any // string, int, bool or []dict
}

// plist writes a property list (plist(5)).
func plist(d dict) []byte {
	var b strings.Builder
	b.WriteString(xml.Header)
	b.WriteString(`<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">` + "\n<plist version=\"1.0\">\n")
	d.write(&b)
	b.WriteString("</plist>\n")
	return []byte(b.String())
}

func (d dict) write(b *strings.Builder) {
	b.WriteString("<dict>\n")
	for _, e := range d {
		text(b, "key", e.key)
		switch v := e.value.(type) {
		case string:
			text(b, "string", v)
		case int:
			text(b, "integer", strconv.Itoa(v))
		case bool:
			fmt.Fprintf(b, "<%t/>\n", v)
		case []dict:
			b.WriteString("<array>\n")
			for _, one := range v {
				one.write(b)
			}
			b.WriteString("</array>\n")
		}
	}
	b.WriteString("</dict>\n")
}

func text(b *strings.Builder, element, s string) {
	b.WriteString("<" + element + ">")
	xml.EscapeText(b, []byte(s)) // a strings.Builder takes everything
	b.WriteString("</" + element + ">\n")
}
