package accounts

import (
	"errors"
	"fmt"
	"io/fs"

	"cairn/store"
	"cairn/store/object"
)

// Check is what a push to the branch must satisfy: nothing but users/NAME.toml,
// each a record without unknown keys, no SSH key and no e-mail address twice, and
// an administrator.
func Check(new *store.Tree) error {
	for e, err := range new.Entries(".") {
		if err != nil {
			return err
		}
		if e.Name != dir || e.Mode != object.ModeDir {
			return fmt.Errorf("%q: accounts holds users/NAME.toml and nothing else", e.Name)
		}
	}
	keys := map[string]string{} // SSH public key in wire format → user
	mail := map[string]string{} // e-mail address, folded → user
	admins := 0
	for e, err := range new.Entries(dir) {
		if errors.Is(err, fs.ErrNotExist) {
			break
		}
		if err != nil {
			return err
		}
		r, err := strictRecord(new, e)
		if err == nil {
			err = errors.Join(r.claim(keys), r.claimAddresses(mail))
		}
		if err != nil {
			return fmt.Errorf("%s/%s: %w", dir, e.Name, err)
		}
		if r.Admin {
			admins++
		}
	}
	if admins == 0 {
		return errors.New("there would be no administrator left: one user needs admin = true")
	}
	return nil
}

// claim notes r's SSH keys as taken, unless somebody else's are the same.
func (r *record) claim(keys map[string]string) error {
	for _, line := range r.SSHKeys {
		k, err := ParseKey(line)
		if err != nil {
			return err
		}
		if owner, taken := keys[string(k.Marshal())]; taken {
			return fmt.Errorf("an SSH key is %s's already: a key says who logs in", owner)
		}
		keys[string(k.Marshal())] = r.Name
	}
	return nil
}

func strictRecord(t *store.Tree, e object.Entry) (*record, error) {
	name, ok := userName(e)
	if !ok {
		return nil, errors.New("not a file NAME.toml, where NAME is 1 to 32 of a-z, 0-9 and hyphen, not beginning with a hyphen")
	}
	data, _, err := t.Blob(file(name))
	if err != nil {
		return nil, err
	}
	return decode(name, data, true)
}
