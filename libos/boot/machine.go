package boot

import (
	"errors"
	"fmt"
	"net"
	"slices"

	"cairn/libos"
	"cairn/libos/metal"
)

// machine is the world without an operating system: there are virtio devices and nothing
// else. open finds them. A device that the program does not declare is refused, for
// somebody meant something by it.
func machine(open func() (*metal.Machine, error)) world {
	return func(m libos.Manifest, args libos.Args) (*devices, error) {
		if err := onlyHost(m, args); err != nil {
			return nil, err
		}
		on, err := parseInterface(args)
		if err != nil {
			return nil, err
		}
		on.dhcp = on.dhcp || !args.Given("ipv4") && !args.Given("ipv6")
		has, err := open()
		if err != nil {
			return nil, err
		}
		if len(has.Unknown) > 0 {
			return nil, fmt.Errorf("this machine has a device that no program here declares: %s; take it away", has.Unknown[0])
		}
		d := &devices{alone: true, readFile: noFiles}
		if d.card, err = onlyCard(m, has.Networks, on); err != nil {
			return nil, err
		}
		d.disks, err = takeDisks(m, args, has.Disks)
		return d, err
	}
}

// onlyHost refuses arguments that make sense on a host alone.
func onlyHost(m libos.Manifest, args libos.Args) error {
	if m.State != nil && args.Given(m.State.Name) {
		return fmt.Errorf("--%s is a folder, and this machine has none: leave it away; what is to last is kept elsewhere (--remote URL)", m.State.Name)
	}
	if args.Bool("seal") {
		return errNoSeal
	}
	if args.Given("net") {
		return errors.New("--net is for a host: on this machine the network is at its own card")
	}
	return nil
}

// onlyCard is the card of a machine that has one if the program speaks to anybody, and
// none otherwise.
func onlyCard(m libos.Manifest, cards []metal.Network, on interfaceConfig) (*card, error) {
	speaks := len(m.Ports)+len(m.Peers) > 0
	switch {
	case !speaks && len(cards) > 0:
		return nil, fmt.Errorf("this machine has a network card, and %s uses none: take away %s", m.Name, cards[0].Name)
	case !speaks:
		return nil, nil
	case len(cards) == 0:
		return nil, fmt.Errorf("%s needs a network, and this machine has no card: give it a virtio network card", m.Name)
	case len(cards) > 1:
		return nil, fmt.Errorf("%s uses one network card: take away %s", m.Name, cards[1].Name)
	}
	link := cards[0].Link
	if on.mac != nil {
		link = renamed{link, on.mac}
	}
	return &card{name: cards[0].Name, link: link, on: on}, nil
}

// renamed is a card under another address.
type renamed struct {
	libos.Link
	mac net.HardwareAddr
}

func (r renamed) MAC() net.HardwareAddr { return r.mac }

// takeDisks gives each disk to whom it is for: first by the IDs that arguments say, then
// by the names of what wants one, then in order.
func takeDisks(m libos.Manifest, args libos.Args, there []metal.Disk) (map[string]libos.Block, error) {
	taken := map[string]libos.Block{}
	take := func(want string, i int) {
		taken[want] = there[i]
		there = slices.Delete(slices.Clone(there), i, i+1)
	}
	wanted := wantedDisks(m)
	for _, w := range wanted {
		id := args.String(w.Name)
		i := slices.IndexFunc(there, func(d metal.Disk) bool { return id != "" && d.ID == id })
		if i >= 0 {
			take(w.Name, i)
		} else if id != "" {
			return nil, fmt.Errorf("--%s: this machine has no disk with the ID %q", w.Name, id)
		}
	}
	for _, w := range wanted {
		if i := slices.IndexFunc(there, func(d metal.Disk) bool { return d.ID == w.Name }); i >= 0 && taken[w.Name] == nil {
			take(w.Name, i)
		}
	}
	for _, w := range wanted {
		if taken[w.Name] == nil && len(there) > 0 && (w.Name != filesArg || len(args.Files()) > 0) {
			take(w.Name, 0)
		}
		if taken[w.Name] == nil && w.Required {
			return nil, fmt.Errorf("%s needs the disk %s: give this machine a virtio disk with that ID", m.Name, w.Name)
		}
	}
	if len(there) > 0 {
		return nil, fmt.Errorf("%s uses no such disk: take away %s", m.Name, there[0].Name)
	}
	return taken, nil
}

// noFiles refuses to read where there is no disk of files.
func noFiles(name string) ([]byte, error) {
	return nil, fmt.Errorf("read %s: this machine has no disk of files: give it a virtio disk with the ID %s that holds a tar archive", name, filesArg)
}
