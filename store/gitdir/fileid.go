package gitdir

import (
	"io/fs"
	"syscall"
	"time"
)

// A fileID tells whether a name still means the same file with the same content.
type fileID struct {
	inode uint64
	size  int64
	mtime time.Time
}

func idOf(st fs.FileInfo) fileID { return fileID{inode(st), st.Size(), st.ModTime()} }

func inode(st fs.FileInfo) uint64 {
	if sys, ok := st.Sys().(*syscall.Stat_t); ok {
		return sys.Ino
	}
	return 0
}
