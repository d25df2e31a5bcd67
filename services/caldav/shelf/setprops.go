package shelf

import (
	"errors"
	"fmt"
	"io/fs"
)

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
