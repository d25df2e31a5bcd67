package image

import (
	"archive/tar"
	"errors"
	"os"
	"strings"
)

// writeTar makes a disk of files, as --files takes it.
func writeTar(disk string, files map[string][]byte) error {
	f, err := os.Create(disk)
	if err != nil {
		return err
	}
	w := tar.NewWriter(f)
	for name, data := range files {
		head := &tar.Header{Name: strings.TrimPrefix(name, "/"), Mode: 0o600, Size: int64(len(data))}
		if err := w.WriteHeader(head); err != nil {
			return errors.Join(err, f.Close())
		}
		if _, err := w.Write(data); err != nil {
			return errors.Join(err, f.Close())
		}
	}
	return errors.Join(w.Close(), f.Close())
}
