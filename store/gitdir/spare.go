package gitdir

import (
	"fmt"
	"io"
	"sync"
	"time"
)

// maxSpares is how many empty files are kept ready: twice what a commit needs.
const maxSpares = 6

// spares makes the files that a commit is going to write before they are
// needed: making one costs as much as syncing it on some file systems, and a writer
// who is alone would wait for both.
type spares struct {
	start sync.Once
	ready chan staged
	off   bool // tests that count operations make each file when it is needed
}

// create returns an empty file with a name of our own.
func (d *Dir) create() (staged, error) {
	if !d.spares.off {
		d.spares.start.Do(func() { d.work.Go(d.makeSpares) })
		select {
		case s := <-d.spares.ready:
			return s, nil
		default:
		}
	}
	return d.createNow()
}

func (d *Dir) createNow() (staged, error) {
	temp := d.owner.temp()
	f, err := d.disk.create(temp)
	return staged{temp: temp, file: f}, temporary(err)
}

// makeSpares runs from the first write until the Dir is closed.
func (d *Dir) makeSpares() {
	for {
		s, err := d.createNow()
		if err != nil { // whoever needs a file meets the error
			select {
			case <-d.closed:
				return
			case <-time.After(time.Second):
				continue
			}
		}
		select {
		case d.spares.ready <- s:
		case <-d.closed:
			d.discard(s)
			return
		}
	}
}

// discard removes a file that has not been given another name.
func (d *Dir) discard(s staged) {
	if s.file != nil {
		s.file.Close()
	}
	if s.temp != "" {
		d.disk.remove(s.temp)
	}
}

// writeTemp writes a file of our own, durably.
func (d *Dir) writeTemp(write func(io.Writer) error) (temp string, err error) {
	s, err := d.create()
	if err != nil {
		return "", err
	}
	if err = write(s.file); err == nil {
		err = s.finish()
	}
	if err != nil {
		d.discard(s)
		return "", fmt.Errorf("write %s: %w", d.root.path(s.temp), temporary(err))
	}
	return s.temp, nil
}
