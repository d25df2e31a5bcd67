//go:build !linux

package boot

import (
	"context"
	"errors"
	"log/slog"
	"net/netip"

	"cairn/libos"
)

// openTAP refuses: only Linux has such devices.
func openTAP(context.Context, string, []netip.AddrPort, libos.Args, *slog.Logger) (network, error) {
	return network{}, errors.New("TAP devices need Linux: use --net=host")
}
