package image

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"regexp"
	"slices"
	"strconv"

	"cairn/libos"
)

// Bounds on what the manifest of somebody else's image may name.
const (
	maxArgs    = 256
	maxDevices = 32
)

var (
	programName  = regexp.MustCompile(`^[a-z0-9][a-z0-9-]*( [a-z0-9][a-z0-9-]*){0,3}$`)
	argumentName = regexp.MustCompile(`^[a-z0-9][a-z0-9-]*$`)
)

// sound refuses a manifest that no program of ours has. Its names, ports and command become words of units,
// and of command lines for monitors, in which a comma or a line break would be an order of its own.
func sound(m libos.Manifest, command []string) error {
	if !programName.MatchString(m.Name) {
		return fmt.Errorf("its manifest names the program %.100q", m.Name)
	}
	if !slices.Equal(commandOf(m), command) {
		return fmt.Errorf("its manifest names the program %.100q, and it was built as the command %.100q", m.Name, command)
	}
	if len(m.Args) > maxArgs || len(m.Peers) > maxArgs || len(m.Ports) > maxDevices || len(m.Disks) > maxDevices {
		return errors.New("its manifest names more than a program can have")
	}
	for _, a := range m.All() {
		if !argumentName.MatchString(a.Name) {
			return fmt.Errorf("its manifest names an argument %.100q", a.Name)
		}
	}
	for _, p := range m.Ports {
		if !slices.Contains([]string{"", "tcp", "tcp4", "tcp6", "udp", "udp4", "udp6"}, p.Network) || !listens(p.Host) || !listens(p.Own) {
			return fmt.Errorf("its manifest names a port %.100q, or %.100q, of the network %.100q", p.Host, p.Own, p.Network)
		}
	}
	return nil
}

// listens reports whether text is where a port may listen: nowhere, or at an address, or every one, and a number.
func listens(text string) bool {
	if text == "" {
		return true
	}
	host, port, err := net.SplitHostPort(text)
	if err != nil {
		return false
	}
	address, hostErr := netip.ParseAddr(host)
	_, portErr := strconv.ParseUint(port, 10, 16)
	return portErr == nil && (host == "" || hostErr == nil && address.Zone() == "")
}
