package shelf

import (
	"crypto/sha256"

	"cairn/store"
	"cairn/store/object"
)

// State returns what changes with the resources, and what changes with the
// properties, whatever the layout.
func (c *Collection) State() (resources, props store.Hash, err error) {
	for r, err := range c.Resources() {
		if err != nil {
			return resources, props, err
		}
		sum := sha256.Sum256(append(r.ETag[:], r.Name...))
		for i := range resources {
			resources[i] ^= sum[i] // in whatever order they come
		}
	}
	data, err := c.props.Encode()
	if err != nil {
		return resources, props, err
	}
	return resources, object.Object{Type: object.TypeBlob, Data: data}.Hash(), nil
}

// A Usage is how much there is (RFC 4331).
type Usage struct {
	Bytes int64
	Count int
}

// Usage sums up the resources, without reading them.
func (c *Collection) Usage() (Usage, error) {
	what, err := c.content()
	if err != nil {
		return Usage{}, err
	}
	u := what.usage()
	if c.over != nil {
		u.Bytes += c.over.bytes
		u.Count += c.over.count
	}
	return u, nil
}
