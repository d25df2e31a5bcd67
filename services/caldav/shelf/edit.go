package shelf

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"

	"cairn/store"
)

// An Edit is what a person has, being changed by an Update. Its methods see what
// was changed so far; Tree and Commit are those that it began with. It is for one
// goroutine, until the Update's function returns.
type Edit struct {
	*Snapshot
	tx     *store.Tx
	drafts map[Path]*Collection // those that were touched; nil: removed
	kinds  map[Kind]*Props
	locks  []Lock
	relock bool // locks are set
}

func newEdit(s *Snapshot, tx *store.Tx) *Edit {
	return &Edit{Snapshot: s, tx: tx, drafts: map[Path]*Collection{}, kinds: map[Kind]*Props{}}
}

// Tx gives access to what else is on the branch. The collections are not to be
// changed through it.
func (e *Edit) Tx() *store.Tx { return e.tx }

// Collection is Snapshot.Collection after what was changed.
func (e *Edit) Collection(kind Kind, name string) (*Collection, error) {
	c, touched := e.drafts[Path{Kind: kind, Collection: name}]
	switch {
	case c != nil:
		return c, nil
	case touched:
		return nil, fmt.Errorf("%s/%s of %q: %w", kind, name, e.user, fs.ErrNotExist)
	}
	return e.Snapshot.Collection(kind, name)
}

// Collections is Snapshot.Collections after what was changed.
func (e *Edit) Collections(kind Kind) ([]*Collection, error) {
	before, err := e.Snapshot.Collections(kind)
	if err != nil {
		return nil, err
	}
	var list []*Collection
	for _, c := range before {
		if _, touched := e.drafts[c.Path()]; !touched && (c.Exists() || kind == Inbox || !e.madeAny(kind)) {
			list = append(list, c)
		}
	}
	for p, c := range e.drafts {
		if p.Kind == kind && c != nil {
			list = append(list, c)
		}
	}
	slices.SortFunc(list, func(a, b *Collection) int { return strings.Compare(a.Name, b.Name) })
	return list, nil
}

// madeAny says that the folder of a kind exists by now, so that there is no
// default collection unless it was made.
func (e *Edit) madeAny(kind Kind) bool {
	_, err := e.tx.Lookup(string(kind))
	return err == nil
}

// Props is Snapshot.Props after what was changed.
func (e *Edit) Props(kind Kind) *Props {
	if p, ok := e.kinds[kind]; ok {
		return p
	}
	return e.Snapshot.Props(kind)
}

// draft returns a collection that may be changed; a default one is made.
func (e *Edit) draft(kind Kind, name string) (*Collection, error) {
	c, err := e.Collection(kind, name)
	if err != nil {
		return nil, err
	}
	if c.over != nil {
		return c, nil
	}
	if !c.Exists() && kind != Inbox {
		if err := e.makeDefaults(kind); err != nil {
			return nil, err
		}
		return e.drafts[c.Path()], nil
	}
	d := c.derive(e.Snapshot, c.Name, c.dir)
	e.drafts[c.Path()] = d
	return d, nil
}

// derive returns a draft with the content of c.
func (c *Collection) derive(s *Snapshot, name, dir string) *Collection {
	return &Collection{Kind: c.Kind, Name: name, snap: s, dir: dir, tree: c.tree, from: c.from, hash: c.hash, props: c.props, born: c.born, over: c.over.clone()}
}

// makeDefaults makes the default collection of a kind if there is none of the kind
// yet: whatever else is made, it shall not vanish.
func (e *Edit) makeDefaults(kind Kind) error {
	if kind == Inbox || e.madeAny(kind) {
		return nil
	}
	for _, c := range e.defaultOf(kind) {
		if err := e.make(c.Path(), c.dir, c.props); err != nil {
			return err
		}
	}
	return nil
}

func (e *Edit) make(p Path, dir string, props *Props) error {
	c := &Collection{Kind: p.Kind, Name: p.Collection, snap: e.Snapshot, dir: dir, over: newOverlay()}
	e.drafts[p] = c
	return e.setProps(c, props)
}

// Make makes a collection, which is empty unless it is of birthdays. One that is there is fs.ErrExist, a name that
// cannot be had a *NameError.
func (e *Edit) Make(p Path, props *Props) error {
	dir, err := e.vacant(p)
	if err != nil {
		return err
	}
	return e.make(p, dir, props)
}

// vacant returns the folder for a collection that does not exist.
func (e *Edit) vacant(p Path) (dir string, err error) {
	if p.Kind != Calendars && p.Kind != Contacts || p.Name != "" {
		return "", fmt.Errorf("make %s: %w", p, fs.ErrInvalid)
	}
	if strings.HasPrefix(p.Collection, handmade) {
		return "", &NameError{p.Collection, "begins with ~"}
	}
	if _, err := fileName(p.Collection, "", escape); err != nil {
		return "", err
	}
	if err := e.makeDefaults(p.Kind); err != nil {
		return "", err
	}
	switch _, err := e.Collection(p.Kind, p.Collection); {
	case err == nil:
		return "", fmt.Errorf("make %s: %w", p, fs.ErrExist)
	case !errors.Is(err, fs.ErrNotExist):
		return "", err
	}
	others, err := e.Collections(p.Kind)
	if err != nil {
		return "", err
	}
	form := escape
	for _, c := range others {
		if confusable(c.Name, p.Collection) {
			form = escapeAll
		}
	}
	file, err := fileName(p.Collection, "", form)
	if err != nil {
		return "", err
	}
	dir = string(p.Kind) + "/" + file
	if _, err := e.tx.Lookup(dir); err == nil {
		return "", &NameError{p.Collection, "is taken by a file"}
	}
	return dir, nil
}

// SetProps sets the properties of a collection, of the folder in which those of a
// kind lie (Path{Kind: k}), or of the home as a whole (zero Path).
func (e *Edit) SetProps(p Path, props *Props) error {
	if p.Kind == "" || p.Collection == "" && p.Kind != Inbox {
		if p.Kind != "" {
			if err := e.makeDefaults(p.Kind); err != nil {
				return err
			}
		}
		// Who could not read what is there must not replace it.
		if _, err := e.readProps(e.tree, kindProps(p.Kind)); err != nil {
			return err
		}
		e.kinds[p.Kind] = props
		return e.putProps(kindProps(p.Kind), props)
	}
	c, err := e.draft(p.Kind, p.Collection)
	if err != nil {
		return err
	}
	return e.setProps(c, props)
}

func (e *Edit) setProps(c *Collection, props *Props) error {
	c.props = props
	return e.putProps(c.dir+"/"+propsFile, props)
}

func (e *Edit) putProps(file string, props *Props) error {
	data, err := props.Encode()
	if err != nil {
		return fmt.Errorf("properties %s: %w", file, err)
	}
	return e.tx.Put(file, data)
}

// SetResourceProps sets the dead properties of a resource.
func (e *Edit) SetResourceProps(p Path, list []Dead) error {
	c, err := e.draft(p.Kind, p.Collection)
	if err != nil {
		return err
	}
	if _, err := c.Resource(p.Name); err != nil {
		return err
	}
	return e.setResourceProps(c, p.Name, list)
}

func (e *Edit) setResourceProps(c *Collection, name string, list []Dead) error {
	file, err := resourcePropsFile(name)
	if err != nil {
		if len(list) == 0 {
			return nil
		}
		return err
	}
	c.over.props[name] = list
	if len(list) > 0 {
		return e.putProps(c.dir+"/"+file, &Props{Dead: list})
	}
	err = e.tx.Remove(c.dir + "/" + file)
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	return err
}

// Remove removes a resource or a collection with all that is in it. Absent is
// fs.ErrNotExist.
func (e *Edit) Remove(p Path) error {
	c, err := e.draft(p.Kind, p.Collection)
	if err != nil {
		return err
	}
	if p.Name == "" {
		return e.drop(c)
	}
	before, err := c.Resource(p.Name)
	if err != nil {
		return err
	}
	return e.remove(c, before)
}

func (e *Edit) remove(c *Collection, before Resource) error {
	if c.born != nil {
		return fmt.Errorf("remove from %s: %w", c.Path(), fs.ErrPermission)
	}
	x, err := c.record(before)
	if err != nil {
		return err
	}
	if err := e.tx.Remove(c.File(before)); err != nil {
		return err
	}
	if err := e.setResourceProps(c, before.Name, nil); err != nil {
		return err
	}
	c.over.set(before.Name, &before, x.uid, nil, "")
	return nil
}

func (e *Edit) drop(c *Collection) error {
	if c.Kind == Inbox {
		return fmt.Errorf("remove %s: %w", c.Path(), fs.ErrInvalid)
	}
	e.drafts[c.Path()] = nil
	if err := e.tx.Remove(c.dir); err != nil {
		return err
	}
	if e.madeAny(c.Kind) {
		return nil
	}
	// Without its folder the kind would have its default collection again.
	return e.putProps(kindProps(c.Kind), e.Props(c.Kind))
}

// finish brings the branch in order after the Update's function.
func (e *Edit) finish() error {
	for _, p := range slices.SortedFunc(maps.Keys(e.drafts), func(a, b Path) int { return strings.Compare(a.String(), b.String()) }) {
		c := e.drafts[p]
		if c == nil {
			continue
		}
		if err := e.layOut(c); err != nil {
			return fmt.Errorf("lay out %s: %w", p, err)
		}
		if _, err := e.tx.Lookup(c.dir); errors.Is(err, fs.ErrNotExist) && c.Kind != Inbox {
			if err := e.setProps(c, c.props); err != nil {
				return err
			}
		}
	}
	if err := e.sweepLocks(); err != nil {
		return err
	}
	return e.checkQuota()
}
