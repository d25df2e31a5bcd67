package image

import (
	"archive/tar"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"

	"cairn/libos"
)

// maxFiles bounds what arguments may name, as libos/boot reads it.
const maxFiles = 16 << 20

// A packed file is one that an argument names, on its way to a machine without a file system.
type packed struct {
	host   string // its path here
	member string // and in the archive
}

// pack finds the files that arguments name, and returns the arguments as they are on
// a machine that has them in an archive. A path is the same there, unless it leads
// upwards: then it is absolute.
func pack(m libos.Manifest, list []word) (args []word, files []packed, err error) {
	kinds := map[string]libos.Kind{}
	for _, a := range m.All() {
		kinds[a.Name] = a.Kind
	}
	seen := map[string]string{}
	for _, w := range list {
		if kind := kinds[w.name]; (kind == libos.File || kind == libos.Files) && w.value != "" {
			host := filepath.Clean(w.value)
			if !filepath.IsAbs(host) && !filepath.IsLocal(host) {
				if host, err = filepath.Abs(host); err != nil {
					return nil, nil, err
				}
			}
			w.value = host
			p := packed{host: host, member: strings.TrimPrefix(path.Clean(filepath.ToSlash(host)), "/")}
			switch other, there := seen[p.member]; {
			case !there:
				files = append(files, p)
				seen[p.member] = p.host
			case other != p.host:
				return nil, nil, fmt.Errorf("--%s: the files %s and %s would be one on a disk, where no name begins with a slash: give both from the root", w.name, other, p.host)
			}
		}
		args = append(args, w)
	}
	return args, files, nil
}

// writeFiles writes an archive of files that only their owner can read. An empty disk would be
// none, so it is padded to whole sectors, as archives are anyway.
func writeFiles(w io.Writer, files []packed) error {
	t := tar.NewWriter(w)
	total := 0
	for _, f := range files {
		data, err := readBounded(f.host)
		if err != nil {
			return err
		}
		if total += len(data); total > maxFiles {
			return fmt.Errorf("the files that arguments name have more than %d bytes: put what is bigger into the repository or on a disk", maxFiles)
		}
		h := &tar.Header{Typeflag: tar.TypeReg, Name: f.member, Mode: 0o400, Size: int64(len(data)), ModTime: time.Unix(0, 0), Format: tar.FormatPAX}
		if err := t.WriteHeader(h); err != nil {
			return err
		}
		if _, err := t.Write(data); err != nil {
			return err
		}
	}
	return t.Close()
}

// readBounded reads a file that is no longer than all may be.
func readBounded(name string) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxFiles+1))
	if err != nil {
		return nil, err
	}
	return data, nil
}
