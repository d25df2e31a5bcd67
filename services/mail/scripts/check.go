package scripts

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"cairn/services/mail/sieve"
	"cairn/store"
)

// maxEntries is how many files the folder of scripts may have.
const maxEntries = 10 * MaxScripts

// Check says what is wrong with the scripts of a push to a user's branch that makes new of old (nil: the
// branch is made), in words for the pusher: one that means nothing, one that is named as the active one and is not there.
func Check(ctx context.Context, old, new *store.Tree) error {
	seen := 0
	for e, err := range new.Entries(folder) {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("%s has to be a folder: %w", folder, err)
		}
		if seen++; seen > maxEntries {
			return fmt.Errorf("%s: there are more than %d files: remove some", folder, maxEntries)
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		at := folder + "/" + e.Name
		if was, err := old.Lookup(at); err == nil && was == e {
			continue
		}
		if err := checkFile(new, at, e.Name, isFile(e)); err != nil {
			return err
		}
	}
	return checkActive(old, new)
}

// checkFile judges a file that is not as it was.
func checkFile(t *store.Tree, at, base string, file bool) error {
	name, script := strings.CutSuffix(base, extension)
	if !script && at != activeFile && at != answeredFile {
		return nil // somebody's own
	}
	if !file {
		return fmt.Errorf("%s has to be a file", at)
	}
	e, err := t.Lookup(at)
	if err != nil {
		return err
	}
	size, err := t.BlobSize(e.Hash)
	if err != nil {
		return err
	}
	if size > maxAnswered*maxLine {
		return fmt.Errorf("%s is too long: it has %d bytes", at, size)
	}
	if !script {
		return nil
	}
	if err := checkName(name); err != nil {
		return fmt.Errorf("%s: %w", at, err)
	}
	data, _, err := t.Blob(at)
	if err != nil {
		return err
	}
	if _, err := sieve.Parse(data); err != nil {
		return fmt.Errorf("%s: %w", at, err)
	}
	return nil
}

// checkActive makes sure that the active script is there, if it was before or another one has
// become it.
func checkActive(old, new *store.Tree) error {
	name, err := activeIn(new)
	if err != nil || name == "" {
		return err
	}
	if err := checkName(name); err != nil {
		return fmt.Errorf("%s: %w", activeFile, err)
	}
	there, err := exists(new, name)
	if err == nil && !there {
		err = fmt.Errorf("%s names %s, which is not there: name another one, or remove the file", activeFile, pathOf(name))
	}
	return err
}
