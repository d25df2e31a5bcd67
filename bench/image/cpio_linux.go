package image

import (
	"fmt"
	"io"
	"maps"
	"path"
	"slices"
)

// An entry is a file of an initramfs.
type entry struct {
	mode   uint32 // as in stat(2)
	device uint32 // of a device node, minor below the major's byte; else 0
	data   []byte
}

// Kinds of files (inode(7)).
const (
	regular   = 0o100755
	folder    = 0o040755
	character = 0o020600
)

// writeCPIO writes files by their names in the format newc, which the kernel's
// documentation calls "initramfs buffer format". The folders that they lie in are made.
func writeCPIO(w io.Writer, files map[string]entry) error {
	all := maps.Clone(files)
	for name := range files {
		for dir := path.Dir(name); dir != "."; dir = path.Dir(dir) {
			all[dir] = entry{mode: folder}
		}
	}
	for i, name := range slices.Sorted(maps.Keys(all)) { // folders come before what is in them
		if err := writeEntry(w, i+1, name, all[name]); err != nil {
			return err
		}
	}
	return writeEntry(w, 0, "TRAILER!!!", entry{})
}

func writeEntry(w io.Writer, inode int, name string, e entry) error {
	head := fmt.Sprintf("070701%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%s\x00",
		inode, e.mode, 0, 0, 1, 0, len(e.data), 0, 0, e.device>>8, e.device&0xff, len(name)+1, 0, name)
	for _, part := range [][]byte{[]byte(head), e.data} {
		part = append(part[:len(part):len(part)], make([]byte, -len(part)&3)...)
		if _, err := w.Write(part); err != nil {
			return err
		}
	}
	return nil
}
