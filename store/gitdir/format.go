package gitdir

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
)

// checkFormat refuses what is no bare repository of the kind that we read and
// write: SHA-1, loose and packed refs, all of its objects and history in itself.
// gitrepository-layout(5), technical/repository-version in git's documentation.
func checkFormat(root osDisk, partial bool) error {
	for _, name := range []string{"HEAD", "objects", "refs", "config"} {
		if _, err := os.Stat(root.path(name)); err != nil {
			return fmt.Errorf("open repository %s: it has no %s, so it is no bare git repository: %w", root, name, err)
		}
	}
	for name, why := range refusedFiles {
		if st, err := os.Stat(root.path(name)); err == nil && st.Size() > 0 {
			return fmt.Errorf("open repository %s: it has the file %s: %s", root, name, why)
		} else if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("open repository %s: %w", root, err)
		}
	}
	f, err := os.Open(root.path("config"))
	if err != nil {
		return fmt.Errorf("open repository %s: %w", root, err)
	}
	defer f.Close()
	cfg, err := readConfig(f)
	if err != nil {
		return fmt.Errorf("open repository %s: read config: %w", root, err)
	}
	if err := checkConfig(cfg, partial); err != nil {
		return fmt.Errorf("open repository %s: %w", root, err)
	}
	return nil
}

var refusedFiles = map[string]string{
	"objects/info/alternates": "it borrows objects from another repository; copy them with `git repack -ad` and remove the file",
	"shallow":                 "its history is cut off; complete it with `git fetch --unshallow`",
	"commondir":               "it is a worktree of another repository; open that one",
}

func checkConfig(cfg config, partial bool) error {
	if v, _ := cfg.last("core", "repositoryformatversion"); v != "" && v != "0" && v != "1" {
		return fmt.Errorf("its format version is %s; 0 and 1 are known", v)
	}
	if v, ok := cfg.last("core", "bare"); ok && isFalse(v) {
		return errors.New("it has a working tree; use a bare clone (git clone --bare)")
	}
	if _, ok := cfg.last("extensions", "partialclone"); partial && !ok {
		return errors.New("it is no partial repository: objects that are missing would be taken for lost")
	}
	for _, s := range cfg {
		if s.section != "extensions" {
			continue
		}
		switch value := strings.ToLower(s.value); {
		case s.key == "noop", s.key == "noop-v1", s.key == "worktreeconfig":
		case s.key == "objectformat" && value == "sha1":
		case s.key == "refstorage" && value == "files":
		case s.key == "partialclone" && partial:
		default:
			return fmt.Errorf("it uses the extension %s = %s, which is not supported; clone it into an ordinary repository", s.key, s.value)
		}
	}
	return nil
}

// isFalse reads a boolean as git-config(1) does.
func isFalse(v string) bool {
	switch strings.ToLower(v) {
	case "false", "no", "off", "0", "":
		return true
	}
	return false
}
