package image

import (
	"fmt"
	"net"
	"strconv"
	"strings"

	"cairn/libos"
)

// A forward leads a port of the host to one of the machine.
type forward struct{ network, host, port string }

// forwards are those that were asked for, or else one a port that the service listens at.
func (v *machine) forwards() ([]forward, error) {
	var list []forward
	for _, text := range v.Forward {
		host, port, ok := strings.Cut(text, "=")
		if _, _, err := net.SplitHostPort(host); err != nil || !ok || !number(port) {
			return nil, fmt.Errorf("--forward is HOST:PORT=PORT, such as 127.0.0.1:8080=80, not %q", text)
		}
		list = append(list, forward{"tcp", host, port})
	}
	if len(list) > 0 {
		return list, nil
	}
	given := map[string]string{}
	for _, w := range words(v.Manifest, v.Args) {
		given[w.name] = w.value
	}
	for _, p := range v.Manifest.Ports {
		if f, ok := forwardOf(p, given[p.Name]); ok {
			list = append(list, f)
		}
	}
	return list, nil
}

// forwardOf leads to where a port listens in the machine, from where it would listen on the
// host; a port that would not, from 8000 and its number (8443 for 443).
func forwardOf(p libos.Port, given string) (forward, bool) {
	at := given
	if at == "" {
		at = p.Own
	}
	if at == "" {
		at = p.Host
	}
	_, port, err := net.SplitHostPort(at)
	if err != nil {
		return forward{}, false
	}
	f := forward{network: p.Network, host: p.Host, port: port}
	if f.network == "" {
		f.network = "tcp"
	}
	if f.host == "" {
		n, err := strconv.Atoi(port)
		if err != nil {
			return forward{}, false
		}
		if n < 1024 {
			n += 8000
		}
		f.host = net.JoinHostPort("127.0.0.1", strconv.Itoa(n))
	}
	return f, true
}

func number(s string) bool {
	n, err := strconv.ParseUint(s, 10, 16)
	return err == nil && n > 0
}
