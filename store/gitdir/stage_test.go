package gitdir

import (
	"bytes"
	"context"
	"errors"
	"syscall"
	"testing"

	"cairn/store"
	"cairn/store/object"
)

// A tiredDisk makes files that cannot be synced.
type tiredDisk struct{ osDisk }

type tiredFile struct{ file }

func (tiredFile) Sync() error { return syscall.EIO }

func (d tiredDisk) create(name string) (file, error) {
	f, err := d.osDisk.create(name)
	return tiredFile{f}, err
}

// TestKeepTwice: what could not be synced is not kept at the second attempt either.
func TestKeepTwice(t *testing.T) {
	d := newDir(t, Options{NoMaintenance: true})
	d.disk = tiredDisk{d.root}
	objs, _ := change(object.Zero, "file", "a")
	q, err := d.Receive(t.Context(), bytes.NewReader(packOf(objs)), nil, store.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	defer q.Discard()
	for range 2 {
		if err := q.Keep(context.Background()); !errors.Is(err, syscall.EIO) {
			t.Errorf("keep: got %v, want %v", err, syscall.EIO)
		}
	}
}
