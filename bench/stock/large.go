package stock

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"

	"cairn/store/object"
	"cairn/store/pack"
)

// largeFile is the size of the files in a large repository, in bytes, and largeFolder how many
// are in a folder.
const (
	largeFile   = 1 << 20
	largeFolder = 64
)

// Large makes a bare repository of so many files of 1 MiB in one commit on main. Each is a
// line over and over, so that it takes a few KB on disk and making 10 GB of them takes less than
// a minute, most of it for hashing them. The files are LargePath(0) and so on.
func Large(ctx context.Context, dir string, files int) (Git, error) {
	g := Git{Dir: dir}
	if _, err := g.Run(ctx, nil, "init", "-q", "--bare", "-b", "main", dir); err != nil {
		return g, err
	}
	commit, err := writeLarge(filepath.Join(dir, "objects", "pack"), files)
	if err != nil {
		return g, fmt.Errorf("make a large repository: %w", err)
	}
	_, err = g.Run(ctx, nil, "update-ref", "refs/heads/main", commit.String())
	return g, err
}

// LargePath names the i-th file of a large repository.
func LargePath(i int) string { return fmt.Sprintf("%04d/%05d.txt", i/largeFolder, i) }

// LargeContent is what is in it.
func LargeContent(i int) []byte {
	return bytes.Repeat(fmt.Appendf(nil, "file %010d: nothing changes here, and nothing new is said.\n", i), largeFile/64)[:largeFile]
}

func writeLarge(folder string, files int) (commit object.Hash, err error) {
	f, err := os.Create(filepath.Join(folder, "new.pack"))
	if err != nil {
		return commit, err
	}
	defer f.Close()
	folders := (files + largeFolder - 1) / largeFolder
	w := pack.NewWriter(f, uint32(files+folders+2), pack.Fast)
	var root, entries []object.Entry
	for i := range files {
		h, err := w.Object(object.Object{Type: object.TypeBlob, Data: LargeContent(i)})
		if err != nil {
			return commit, err
		}
		entries = append(entries, object.Entry{Name: filepath.Base(LargePath(i)), Mode: object.ModeFile, Hash: h})
		if len(entries) < largeFolder && i < files-1 {
			continue
		}
		if h, err = w.Object(object.Object{Type: object.TypeTree, Data: object.AppendTree(nil, entries)}); err != nil {
			return commit, err
		}
		root = append(root, object.Entry{Name: filepath.Dir(LargePath(i)), Mode: object.ModeDir, Hash: h})
		entries = nil
	}
	tree, err := w.Object(object.Object{Type: object.TypeTree, Data: object.AppendTree(nil, root)})
	if err != nil {
		return commit, err
	}
	text := fmt.Sprintf("tree %s\nauthor A <a@example.org> 1700000000 +0000\ncommitter C <c@example.org> 1700000000 +0000\n\nlarge\n", tree)
	if commit, err = w.Object(object.Object{Type: object.TypeCommit, Data: []byte(text)}); err != nil {
		return commit, err
	}
	sum, index, err := w.Close()
	if err != nil {
		return commit, err
	}
	name := filepath.Join(folder, "pack-"+sum.String())
	if err := os.Rename(f.Name(), name+".pack"); err != nil {
		return commit, err
	}
	return commit, os.WriteFile(name+".idx", pack.AppendIndex(nil, index, sum), 0o644)
}
