package gitwire

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
)

// ports are those of the schemes that Dial serves.
var ports = map[string]string{"ssh": "22", "git": "9418"}

// parseRemote parses a URL, or the user@host:path that SSH users write. In the
// latter the path is not absolute; it is kept in Opaque.
func parseRemote(raw string) (*url.URL, error) {
	if !strings.Contains(raw, "://") {
		return parseSCP(raw)
	}
	u, err := url.Parse(raw)
	if err != nil {
		return nil, errors.New("malformed URL") // url's error quotes passwords
	}
	switch u.Scheme {
	case "http", "https", "ssh", "git":
	default:
		return nil, fmt.Errorf("URLs of scheme %q are not supported", u.Scheme)
	}
	if u.Hostname() == "" {
		return nil, errors.New("URL without a host")
	}
	if strings.ContainsAny(u.Path+u.Host, "\x00\n") {
		return nil, errors.New("malformed URL")
	}
	return u, nil
}

func parseSCP(raw string) (*url.URL, error) {
	host, path, ok := strings.Cut(raw, ":")
	if !ok || host == "" || path == "" || strings.ContainsAny(host, "/\x00\n") || strings.ContainsAny(path, "\x00\n") {
		return nil, errors.New("not a URL")
	}
	u := &url.URL{Scheme: "ssh", Host: host, Opaque: path}
	if user, host, ok := strings.Cut(host, "@"); ok {
		u.User, u.Host = url.User(user), host
	}
	if u.Host == "" {
		return nil, errors.New("URL without a host")
	}
	return u, nil
}

// address is the host and port to dial.
func address(u *url.URL) string {
	port := u.Port()
	if port == "" {
		port = ports[u.Scheme]
	}
	return net.JoinHostPort(u.Hostname(), port)
}

// remotePath is the path as it is told to git's commands.
func remotePath(u *url.URL) string {
	if u.Opaque != "" {
		return u.Opaque
	}
	return u.Path
}

// redacted is a URL as it may stand in an error: without a password.
func redacted(raw string) string {
	u, err := parseRemote(raw)
	if err != nil {
		return "remote"
	}
	if u.Opaque != "" {
		return cut(raw, 200)
	}
	return cut(u.Redacted(), 200)
}
