// Package unix opens the devices of a Unix host: OpenTAP a network card, OpenBlock a
// disk.
package unix
