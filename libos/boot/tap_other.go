//go:build !linux

package boot

import "errors"

// openTAP refuses: only Linux has such devices.
func (*devices) openTAP(string, interfaceConfig) error {
	return errors.New("TAP devices need Linux: use --net=host")
}
