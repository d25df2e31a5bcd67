package self

import (
	"crypto/sha256"
	"encoding/xml"
	"fmt"
	"net/url"
	"strconv"
	"strings"
)

// profile returns a configuration profile (Apple, Configuration Profile Reference:
// CalDAV and CardDAV payloads) that sets up calendars and contacts on a device.
func profile(base, user, device, password string) ([]byte, error) {
	u, err := url.Parse(base)
	if err != nil {
		return nil, err
	}
	tls := u.Scheme == "https"
	port, err := strconv.Atoi(u.Port())
	if err != nil {
		if port = 80; tls {
			port = 443
		}
	}
	id := "cairn." + u.Hostname() + "." + user + "." + uuid(device)[:8]
	dav := func(prefix, kind, what string) dict {
		return dict{
			{"PayloadType", "com.apple." + kind + ".account"}, {"PayloadVersion", 1},
			{"PayloadIdentifier", id + "." + kind}, {"PayloadUUID", uuid(id + kind)}, {"PayloadDisplayName", what + " of " + user},
			{prefix + "AccountDescription", u.Hostname()}, {prefix + "HostName", u.Hostname()}, {prefix + "Port", port},
			{prefix + "UseSSL", tls}, {prefix + "Username", user}, {prefix + "Password", password},
			{prefix + "PrincipalURL", "/principals/" + user + "/"},
		}
	}
	return plist(dict{
		{"PayloadType", "Configuration"}, {"PayloadVersion", 1}, {"PayloadIdentifier", id}, {"PayloadUUID", uuid(id)},
		{"PayloadDisplayName", "Calendars and contacts at " + u.Hostname()},
		{"PayloadDescription", "Sets up the calendars and contacts of " + user + " on " + device + "."},
		{"PayloadRemovalDisallowed", false},
		{"PayloadContent", []dict{dav("CalDAV", "caldav", "Calendars"), dav("CardDAV", "carddav", "Contacts")}},
	}), nil
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
