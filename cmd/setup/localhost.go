package setup

import (
	"net"
	"net/http"
	"net/netip"
	"strings"
)

// OnlyLocalNames refuses requests whose Host is not a name of this machine's
// loopback. Without it, a page from elsewhere could point its own name at
// 127.0.0.1 and talk to us from the reader's browser (DNS rebinding).
func OnlyLocalNames(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !localName(r.Host) {
			http.Error(w, "Nothing is served under this name. Use localhost or 127.0.0.1.", http.StatusMisdirectedRequest)
			return
		}
		h.ServeHTTP(w, r)
	})
}

func localName(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	if a, err := netip.ParseAddr(strings.Trim(host, "[]")); err == nil {
		return a.IsLoopback()
	}
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	return host == "localhost" || strings.HasSuffix(host, ".localhost")
}
