//go:build amd64 && !cgo

package sealed

import (
	"strconv"
	"strings"
)

// portOf returns the port that a pattern of libos.Limits ends in, known unless it
// stands for any.
func portOf(pattern string) (port uint16, known bool) {
	n, err := strconv.ParseUint(pattern[strings.LastIndexByte(pattern, ':')+1:], 10, 16)
	return uint16(n), err == nil
}

// bindPorts are the TCP ports of patterns network:port; all says that they may be any.
func bindPorts(patterns []string) (list []uint16, all bool) {
	var tcp []string
	for _, p := range patterns {
		if strings.HasPrefix(p, "tcp:") {
			tcp = append(tcp, p)
		}
	}
	return portsOf(tcp)
}

// portsOf are the ports of patterns; all says that they may be any.
func portsOf(patterns []string) (list []uint16, all bool) {
	for _, p := range patterns {
		port, known := portOf(p)
		if !known {
			return nil, true
		}
		list = append(list, port)
	}
	return list, false
}
