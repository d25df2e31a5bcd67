//go:build !(linux && amd64)

package metal

import "errors"

func open() (*Machine, error) { return nil, errors.ErrUnsupported }

// PowerButton returns a channel that is closed when somebody presses the machine's
// power button; nil where there is none.
func PowerButton() <-chan struct{} { return nil }
