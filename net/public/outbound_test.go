package public

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"testing"
)

func TestIs(t *testing.T) {
	for addr, want := range map[string]bool{
		"8.8.8.8": true, "2606:4700::1111": true, "::ffff:8.8.8.8": true, "64:ff9b::808:808": true, "2002:808:808::1": true,
		"127.0.0.1": false, "127.9.9.9": false, "10.1.2.3": false, "172.16.0.1": false, "192.168.1.1": false, "169.254.169.254": false, "100.64.0.1": false,
		"0.0.0.0": false, "0.1.2.3": false, "224.0.0.1": false, "255.255.255.255": false, "240.0.0.1": false, "192.0.2.1": false, "198.18.0.1": false,
		"::": false, "::1": false, "fe80::1": false, "fe80::1%eth0": false, "fc00::1": false, "fd12::1": false, "ff02::1": false, "2001:db8::1": false, "fec0::1": false,
		"::ffff:127.0.0.1": false, "::ffff:10.0.0.1": false, "::127.0.0.1": false, "64:ff9b::7f00:1": false, "64:ff9b::a00:1": false, "64:ff9b:1::808:808": false,
		"2002:7f00:1::1": false, "2002:a9fe:a9fe::": false, "2001::1": false, "100::1": false,
	} {
		if got := Is(netip.MustParseAddr(addr)); got != want {
			t.Errorf("Is(%s) = %v, want %v", addr, got, want)
		}
	}
}

func TestOutbound(t *testing.T) {
	names := map[string][]string{
		"public.example": {"8.8.8.8"}, "private.example": {"10.0.0.1"}, "mixed.example": {"8.8.8.8", "127.0.0.1"}, "mapped.example": {"::ffff:127.0.0.1"}, "none.example": {},
	}
	rebound := 0
	var dialed []string
	errDialed := errors.New("dialed")
	o := &Outbound{
		Resolve: func(_ context.Context, host string) (list []netip.Addr, err error) {
			if host == "rebind.example" {
				rebound++
				return []netip.Addr{netip.MustParseAddr([]string{"8.8.4.4", "127.0.0.1"}[(rebound-1)%2])}, nil
			}
			for _, a := range names[host] {
				list = append(list, netip.MustParseAddr(a))
			}
			return list, nil
		},
		Dial: func(_ context.Context, _, address string) (net.Conn, error) {
			dialed = append(dialed, address)
			return nil, errDialed
		},
	}
	for _, c := range []struct {
		address string
		refused bool
		dialed  string
	}{
		{"public.example:443", false, "8.8.8.8:443"}, {"private.example:443", true, ""}, {"mixed.example:443", true, ""}, {"mapped.example:80", true, ""},
		{"rebind.example:80", false, "8.8.4.4:80"}, {"rebind.example:80", true, ""}, {"127.0.0.1:80", true, ""}, {"[::1]:80", true, ""}, {"[::ffff:10.0.0.1]:80", true, ""}, {"8.8.8.8:80", false, "8.8.8.8:80"},
		{"none.example:80", false, ""},
	} {
		dialed = nil
		_, err := o.DialContext(t.Context(), "tcp", c.address)
		if errors.Is(err, ErrPrivateAddress) != c.refused || strings.Join(dialed, " ") != c.dialed || err == nil {
			t.Errorf("%s: got %v, dialed %v; want refused %v, dialed %q", c.address, err, dialed, c.refused, c.dialed)
		}
	}
	o.Allow = netip.MustParsePrefix("10.0.0.0/8").Contains
	if _, err := o.DialContext(t.Context(), "tcp", "private.example:1"); !errors.Is(err, errDialed) {
		t.Errorf("what the operator allows: %v", err)
	}
}

// TestOutboundRedirect follows redirects: each target is checked anew, and
// passwords stay at home.
func TestOutboundRedirect(t *testing.T) {
	var auth string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/private":
			http.Redirect(w, r, "http://private.example/", http.StatusFound)
		case "/file":
			http.Redirect(w, r, "file:///etc/passwd", http.StatusFound)
		case "/loop":
			http.Redirect(w, r, "/loop", http.StatusFound)
		case "/other":
			http.Redirect(w, r, "http://other.example/end", http.StatusFound)
		default:
			auth = r.Header.Get("Authorization")
		}
	}))
	defer server.Close()
	public := netip.MustParseAddr("8.8.8.8")
	o := &Outbound{
		Resolve: func(_ context.Context, host string) ([]netip.Addr, error) {
			if host == "private.example" {
				return []netip.Addr{netip.MustParseAddr("192.168.0.1")}, nil
			}
			return []netip.Addr{public}, nil
		},
		Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, network, server.Listener.Addr().String())
		},
	}
	client := o.Client()
	defer client.CloseIdleConnections()
	for path, want := range map[string]error{"/private": ErrPrivateAddress, "/file": ErrRedirect, "/loop": ErrRedirect, "/ok": nil, "/other": nil} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://public.example"+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "Basic c2VjcmV0")
		res, err := client.Do(r)
		if err == nil {
			res.Body.Close()
		}
		if !errors.Is(err, want) {
			t.Errorf("%s: got %v, want %v", path, err, want)
		}
		if path == "/other" && auth != "" {
			t.Errorf("another host got the password")
		}
	}
	last := &http.Request{URL: mustURL(t, "https://a.example/"), Header: http.Header{}}
	if err := checkRedirect(&http.Request{URL: mustURL(t, "http://a.example/"), Header: http.Header{}}, []*http.Request{last}); !errors.Is(err, ErrRedirect) {
		t.Errorf("from https to http: got %v, want %v", err, ErrRedirect)
	}
}

func mustURL(t *testing.T, s string) *url.URL {
	t.Helper()
	u, err := url.Parse(s)
	if err != nil {
		t.Fatal(err)
	}
	return u
}
