package boot

import (
	"context"
	"errors"
	"log/slog"
	"net/netip"

	"cairn/libos"
)

// openTAP runs a TCP/IP stack on a TAP device.
func openTAP(_ context.Context, _ string, _ []netip.AddrPort, args libos.Args, _ *slog.Logger) (network, error) {
	if _, err := parseInterface(args); err != nil {
		return network{}, err
	}
	return network{}, errors.ErrUnsupported
}
