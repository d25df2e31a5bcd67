package config

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"

	"cairn/services/tomlfile"
	"cairn/store"
	"cairn/store/object"
)

// A Backup is a repository elsewhere that is kept as this one is: an entry of
// the file backups.toml, such as
//
//	[forge]
//	url = "https://forge.example/alice/backup.git"
type Backup struct {
	Name string `toml:"-"`
	URL  string `toml:"url"` // https, http or ssh; without a password
	// HostKey is the key of an ssh host, as in authorized_keys. No other host
	// is spoken to under that URL.
	HostKey string `toml:"host_key,omitempty"`
}

const backupsFile = "backups.toml"

// Backups returns the backups in the order of their names.
func (c *Config) Backups(ctx context.Context) ([]Backup, error) {
	t, err := c.branch.Tree(ctx)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err == nil {
		err = checkFormat(t)
	}
	var all map[string]Backup
	if err == nil {
		all, err = readBackups(t, false)
	}
	if err != nil {
		return nil, fmt.Errorf("read backups: %w", err)
	}
	var list []Backup
	for _, name := range slices.Sorted(maps.Keys(all)) {
		b := all[name]
		b.Name = name
		list = append(list, b)
	}
	return list, nil
}

// AddBackup adds a backup; fs.ErrExist when there is one of that name.
func (c *Config) AddBackup(ctx context.Context, by object.Signature, b Backup) error {
	return c.updateBackups(ctx, by, "Add backup "+b.Name, func(all map[string]Backup) error {
		if _, taken := all[b.Name]; taken {
			return fmt.Errorf("backup %q: %w", b.Name, fs.ErrExist)
		}
		all[b.Name] = b
		return nil
	})
}

// RemoveBackup forgets a backup; absent is fs.ErrNotExist. What is there stays.
func (c *Config) RemoveBackup(ctx context.Context, by object.Signature, name string) error {
	return c.updateBackups(ctx, by, "Remove backup "+name, func(all map[string]Backup) error {
		if _, ok := all[name]; !ok {
			return fmt.Errorf("backup %q: %w", name, fs.ErrNotExist)
		}
		delete(all, name)
		return nil
	})
}

func (c *Config) updateBackups(ctx context.Context, by object.Signature, what string, f func(map[string]Backup) error) error {
	return c.update(ctx, by, what, func(tx *store.Tx) error {
		all, err := readBackups(tx, false)
		if err != nil {
			return err
		}
		if err := f(all); err != nil {
			return err
		}
		if len(all) == 0 {
			return tx.Remove(backupsFile)
		}
		if err := checkBackups(all); err != nil {
			return err
		}
		data, err := tomlfile.Encode(all)
		if err != nil {
			return err
		}
		return tx.Put(backupsFile, data)
	})
}

// readBackups reads the file; where there is none, there are no backups.
func readBackups(t files, strict bool) (map[string]Backup, error) {
	all := map[string]Backup{}
	data, _, err := t.Blob(backupsFile)
	if errors.Is(err, fs.ErrNotExist) {
		return all, nil
	}
	if err == nil {
		err = tomlfile.Decode(data, &all, strict)
	}
	if err == nil {
		err = checkBackups(all)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", backupsFile, err)
	}
	return all, nil
}

func checkBackups(all map[string]Backup) error {
	for name, b := range all {
		if !validName.MatchString(name) {
			return fmt.Errorf("%q cannot be a backup's name: 1 to 32 of a-z, 0-9 and hyphen", name)
		}
		if err := (&Remote{URL: b.URL}).check(); err != nil {
			return fmt.Errorf("backup %q: %w", name, err)
		}
		if ssh := strings.HasPrefix(b.URL, "ssh://"); ssh != (b.HostKey != "") {
			return fmt.Errorf("backup %q: host_key goes with an ssh address, and an ssh address with it", name)
		}
	}
	return nil
}
