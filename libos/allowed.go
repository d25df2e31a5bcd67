package libos

import (
	"net"
	"net/url"
	"strings"
)

// Limits are what a service may do on a network by its manifest and the
// arguments given: listen where its ports are, dial its peers. own says that
// the network is not the host's.
func (m Manifest) Limits(a Args, own bool) Limits {
	var l Limits
	for _, p := range m.Ports {
		address, fallback := p.address(own)
		if given := a.String(p.Name); given != "" {
			address, fallback = given, ""
		}
		for _, at := range []string{address, fallback} {
			if _, port, err := net.SplitHostPort(at); err == nil {
				l.Listen = append(l.Listen, p.network()+":"+port)
			}
		}
	}
	for _, p := range m.Peers {
		if p.Arg == "" {
			l.Dial = append(l.Dial, p.Address)
			continue
		}
		for _, value := range a.values(p.Arg) {
			if address := peerAddress(value); address != "" {
				l.Dial = append(l.Dial, address)
			}
		}
	}
	return l
}

// ports of the schemes of URLs that services dial.
var ports = map[string]string{"http": "80", "https": "443", "ssh": "22", "git": "9418"}

// peerAddress is the host:port that an argument names: a URL, git's short
// user@host:path, or host:port before a comma; "" when it names none.
func peerAddress(value string) string {
	if u, err := url.Parse(value); err == nil && ports[u.Scheme] != "" && u.Host != "" {
		port := u.Port()
		if port == "" {
			port = ports[u.Scheme]
		}
		return net.JoinHostPort(u.Hostname(), port)
	}
	value, _, _ = strings.Cut(value, ",")
	if host, port, err := net.SplitHostPort(value); err == nil && host != "" && number(port) {
		return value
	}
	_, host, _ := strings.Cut(value, "@")
	if host, _, short := strings.Cut(host, ":"); short && host != "" {
		return net.JoinHostPort(host, ports["ssh"])
	}
	return ""
}

// number reports whether s is a port's number.
func number(s string) bool {
	return s != "" && strings.Trim(s, "0123456789") == ""
}
