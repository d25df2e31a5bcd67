//go:build !linux || !amd64

package sealed

import "errors"

// Seal refuses: only Linux on amd64 has what it takes.
func Seal(Attached) error {
	return errors.New("only programs for Linux on amd64 can be sealed")
}
