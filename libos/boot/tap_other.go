//go:build !linux

package boot

import "errors"

// openTAP refuses: only Linux has such devices.
func openTAP(string, interfaceConfig) (*card, error) {
	return nil, errors.New("TAP devices need Linux: use --net=host")
}
