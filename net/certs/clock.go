package certs

import (
	"fmt"
	"runtime/debug"
	"sync"
	"time"
)

// A ClockError says that the clock stands before the program was made, so that nothing can be
// said of a certificate's validity.
type ClockError struct {
	Now   time.Time // what the clock says
	Built time.Time // when the program was made
}

func (e *ClockError) Error() string {
	return fmt.Sprintf("no TLS: the clock says %s, which is before this program was made, %s; set the clock",
		e.Now.UTC().Format(time.RFC3339), e.Built.UTC().Format(time.RFC3339))
}

// CheckClock returns a *ClockError while the clock is certainly wrong. Every handshake by Config and
// ClientConfig asks it; servers ask it once more when they start.
func CheckClock() error { return checkClock(time.Now(), built()) }

// checkClock is CheckClock at a time; built is zero where that is not known.
func checkClock(now, built time.Time) error {
	if now.Before(built) {
		return &ClockError{now, built}
	}
	return nil
}

// built is when the commit was made that the program was built from, zero where it was
// built from none. Tests replace it.
var built = sync.OnceValue(func() time.Time {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return time.Time{}
	}
	return commitTime(info)
})

func commitTime(info *debug.BuildInfo) time.Time {
	for _, s := range info.Settings {
		if s.Key != "vcs.time" {
			continue
		}
		if t, err := time.Parse(time.RFC3339, s.Value); err == nil {
			return t
		}
	}
	return time.Time{}
}
