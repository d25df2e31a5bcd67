package setup

import (
	"context"
	"net/netip"

	"cairn/libos"
	"cairn/net/certs"
	"cairn/net/public"
)

// AllowPrivate is the argument that lets users name addresses in private networks.
var AllowPrivate = libos.Arg{Name: "allow-private", Kind: libos.Bool, Help: "Let sites and calendars follow what is at private and loopback addresses."}

// Outbound reaches what users name, at public addresses.
func Outbound(env libos.Env) *public.Outbound {
	out := &public.Outbound{
		Resolve: func(ctx context.Context, host string) ([]netip.Addr, error) {
			return env.Net.Resolver().LookupNetIP(ctx, "ip", host)
		},
		Dial: env.Net.Dial,
		TLS:  certs.ClientConfig(nil),
	}
	if env.Args.Bool(AllowPrivate.Name) {
		out.Allow = func(netip.Addr) bool { return true }
	}
	return out
}
