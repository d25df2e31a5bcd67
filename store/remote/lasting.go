package remote

import (
	"cairn/store"
	"cairn/store/object"
)

// lasting leaves out trees that others of the objects have replaced already: where many updates
// are pushed together, the trees of all but the last. Hardly anybody reads those, and to keep them would
// take most of the work and of the memory.
func lasting(objs []object.Object) []object.Object {
	replaced := make(map[store.Hash]bool)
	for _, o := range objs {
		if o.Type == object.TypeTree {
			replaced[o.Base] = true
		}
	}
	var list []object.Object
	for _, o := range objs {
		if o.Type != object.TypeTree || !replaced[o.Hash()] {
			list = append(list, o)
		}
	}
	return list
}
