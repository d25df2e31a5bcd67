package boot

import (
	"errors"
	"fmt"

	"cairn/libos/sealed"
	"cairn/libos/unix"
)

// openTAP opens a TAP device that somebody has made.
func (d *devices) openTAP(device string, on interfaceConfig) error {
	if !on.dhcp && !on.auto && !on.v4.IsValid() && on.v6 == nil {
		return errors.New("a TAP device needs an address: --ipv4=ADDR/LEN or dhcp, --ipv6=ADDR/LEN or auto")
	}
	link, err := unix.OpenTAP(device, on.mac)
	if err != nil {
		return fmt.Errorf("%w: make it first (ip tuntap add %s mode tap user NAME vnet_hdr; ip link set %s up), or use --net=host", err, device, device)
	}
	d.card = &card{name: device, link: link, on: on}
	d.attached.Links = []sealed.Descriptor{{Name: device, FD: link.FD()}}
	return nil
}
