//go:build linux && amd64 && cgo

package sealed

import "errors"

// Seal refuses: what C code in the process does follows from nothing that is attached,
// and its threads cannot be reached to drop their privileges.
func Seal(Attached) error {
	return errors.New("this program has been built with cgo; build it with CGO_ENABLED=0")
}
