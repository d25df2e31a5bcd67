package boot

import (
	"errors"

	"cairn/libos"
	"cairn/libos/sealed"
)

// devices are what a world has attached to a program.
type devices struct {
	alone bool                   // there is no host
	card  *card                  // nil: the network is the host's, or there is none
	disks map[string]libos.Block // by the arguments that name them

	attached sealed.Attached // what of it --seal has to know

	// readFile reads a file of the world's.
	readFile func(name string) ([]byte, error)
}

// A card is a network card, and how the program is to be reached there.
type card struct {
	name string // for people
	link libos.Link
	on   interfaceConfig
	used bool // by a network, which closes it
}

// openFiles takes the disk of files, if there is one, for all there is to be read. What will be
// sealed reads all that it may need now.
func (d *devices) openFiles(args libos.Args) error {
	disk := d.disks[filesArg]
	if disk == nil && args.Bool("seal") {
		return d.readFiles(args)
	}
	if disk == nil {
		return nil
	}
	delete(d.disks, filesArg)
	files, err := readArchive(disk)
	if err = errors.Join(err, disk.Close()); err != nil {
		return err
	}
	d.readFile = files.read
	return nil
}

// close closes what is not closed by others.
func (d *devices) close() error {
	var errs []error
	if d.card != nil && !d.card.used {
		errs = append(errs, d.card.link.Close())
	}
	for _, disk := range d.disks {
		errs = append(errs, disk.Close())
	}
	return errors.Join(errs...)
}
