package push

import (
	"io/fs"

	"cairn/services/caldav/shelf"
	"cairn/store"
	"cairn/store/object"
)

// A state is what a program can be told of.
type state struct {
	content, props store.Hash
	token          string // sync token; "" where there is none
	gone           bool   // it is not there any more, or not for this program
}

// state returns how a collection is now, for a program that may still see it.
func (s *Service) state(snap *shelf.Snapshot, k *kept) (state, error) {
	if k.Path.Collection == "" && k.Path.Kind != shelf.Inbox {
		return home(snap, k)
	}
	c, err := snap.Collection(k.Path.Kind, k.Path.Collection)
	if err != nil {
		return state{}, err
	}
	if k.User != k.Owner && c.Access(k.User) == shelf.NoAccess {
		return state{}, fs.ErrNotExist
	}
	content, props, err := c.State()
	return state{content: content, props: props, token: c.Token()}, err
}

// home is the state of the folder of a kind: its members are collections.
func home(snap *shelf.Snapshot, k *kept) (state, error) {
	if k.User != k.Owner {
		return state{}, fs.ErrNotExist
	}
	list, err := snap.Collections(k.Path.Kind)
	var names []byte
	for _, c := range list {
		names = append(names, c.Name+"\x00"...)
	}
	return state{content: object.Object{Type: object.TypeBlob, Data: names}.Hash()}, err
}
