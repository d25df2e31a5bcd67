package boot

import (
	"archive/tar"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"strings"

	"cairn/libos"
)

// filesArg names the argument that says where files are.
const filesArg = "files"

var filesArgs = []libos.Arg{
	{Name: filesArg, Value: "DISK", Help: "A disk, or a file, that holds a tar archive of all files that other arguments name; on a machine of its own the disk with the ID files."},
}

// maxFiles bounds what a disk of files holds, in bytes, archive and all.
const maxFiles = 16 << 20

// errNoArchive says what a disk of files has to be.
var errNoArchive = errors.New("the disk of files holds no tar archive of regular files under clean relative names, each once, 16 MiB in all")

// An archive is the files of a disk, by their names in it.
type archive map[string][]byte

// readArchive reads a disk that holds a tar archive (POSIX.1-2024 pax, ustar format).
func readArchive(disk libos.Block) (archive, error) {
	return parseArchive(io.NewSectionReader(disk, 0, min(disk.Size(), maxFiles)))
}

// parseArchive reads an archive of regular files whose names are clean, relative and
// different, and which are maxFiles bytes together at most. Otherwise the error is errNoArchive.
func parseArchive(r io.Reader) (archive, error) {
	files, left := archive{}, int64(maxFiles)
	for t := tar.NewReader(r); ; {
		h, err := t.Next()
		if errors.Is(err, io.EOF) {
			return files, nil
		}
		if err != nil {
			return nil, fmt.Errorf("%w: %w", errNoArchive, err)
		}
		if why := unfit(files, h, left); why != "" {
			return nil, fmt.Errorf("%w: %.200q %s", errNoArchive, h.Name, why)
		}
		data := make([]byte, h.Size)
		if _, err := io.ReadFull(t, data); err != nil {
			return nil, fmt.Errorf("%w: %.200q: %w", errNoArchive, h.Name, err)
		}
		files[h.Name] = data
		left -= h.Size
	}
}

// unfit says what is wrong with a file that stands next in an archive in which left bytes
// are left, "" for nothing.
func unfit(files archive, h *tar.Header, left int64) string {
	switch {
	case h.Typeflag != tar.TypeReg:
		return "is no regular file"
	case h.Name == "." || !fs.ValidPath(h.Name):
		return "is no clean relative name"
	case files[h.Name] != nil:
		return "is there twice"
	case h.Size > left:
		return "is too large"
	}
	return ""
}

// read returns a file by the name that it has on a host, which may begin with a slash.
func (a archive) read(name string) ([]byte, error) {
	data, ok := a[path.Clean(strings.TrimLeft(name, "/"))]
	if !ok {
		return nil, fmt.Errorf("read %s from the disk of files: %w", name, fs.ErrNotExist)
	}
	return data, nil
}
