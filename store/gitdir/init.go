package gitdir

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
)

// What Init writes. gc.auto is off because Cairn merges packs by itself and
// a stock `git push` would otherwise start a second housekeeper; `git gc` by
// hand is welcome at any time.
const (
	initConfig = "[core]\n\trepositoryformatversion = 0\n\tfilemode = true\n\tbare = true\n[gc]\n\tauto = 0\n"
	initHead   = "ref: refs/heads/main\n"

	// partialConfig says that what is missing is promised by a remote, which has no address here:
	// git is not to ask it.
	partialConfig = "[core]\n\trepositoryformatversion = 1\n\tfilemode = true\n\tbare = true\n" +
		"[extensions]\n\tpartialClone = origin\n[remote \"origin\"]\n\tpromisor = true\n[gc]\n\tauto = 0\n\twriteCommitGraph = false\n" // which would need all of history
)

// Init makes an empty bare repository in dir, whose parent must exist; dir
// itself may, if there is no repository in it (fs.ErrExist otherwise). It is durable
// when Init returns. A folder that Init makes is for its owner alone. HEAD, without which there is no repository, is written last: an
// Init that was interrupted can be repeated.
func Init(dir string) error { return initWith(dir, initConfig) }

// InitPartial is Init for a repository whose objects are also elsewhere, and which
// need not have all of them: see Options.Partial.
func InitPartial(dir string) error { return initWith(dir, partialConfig) }

func initWith(dir, config string) error {
	root := osDisk(dir)
	if _, err := os.Lstat(root.path("HEAD")); err == nil {
		return fmt.Errorf("make repository %s: %w", dir, fs.ErrExist)
	}
	if err := initIn(root, config); err != nil {
		return fmt.Errorf("make repository %s: %w", dir, temporary(err))
	}
	return nil
}

func initIn(root osDisk, config string) error {
	if err := os.Mkdir(root.path("."), 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	for _, folder := range []string{"objects", "objects/info", packFolder, "refs", "refs/heads", "refs/tags", ownFolder} {
		if err := root.mkdir(folder); err != nil && !errors.Is(err, fs.ErrExist) {
			return err
		}
	}
	for _, f := range []struct{ name, content string }{{"config", config}, {"HEAD", initHead}} {
		if err := initFile(root, f.name, f.content); err != nil {
			return err
		}
	}
	for _, folder := range []string{"objects", "refs", "."} {
		if err := root.syncDir(folder); err != nil {
			return err
		}
	}
	return osDisk(filepath.Dir(filepath.Clean(string(root)))).syncDir(".")
}

func initFile(root osDisk, name, content string) error {
	temp := path.Join(ownFolder, "init-"+name)
	if err := root.remove(temp); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	f, err := root.create(temp)
	if err != nil {
		return err
	}
	_, err = f.Write([]byte(content))
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	return root.rename(temp, name)
}
