package ical

import (
	_ "embed"
	"strings"
	"sync/atomic"
)

// zoneNames are the names of Go's tzdata, one a line.
//
//go:embed zones.txt
var zoneNames string

// allLoaded says that no other zones are to be looked for.
var allLoaded atomic.Bool

// LoadZones loads all time zones that Zone knows, about 1 MB of them: for processes
// that cannot open files later. time.LoadLocation tries to each time it is asked for a
// name, also for one that there is not.
func LoadZones() {
	for name := range strings.Lines(zoneNames) {
		olson(strings.TrimSuffix(name, "\n"))
	}
	allLoaded.Store(true)
}
