//go:build amd64 && !cgo

package sealed

import "fmt"

// Seal gives up everything but what is attached, for all threads and for good. It is
// called once, when all that is attached is open and nothing else is. After an
// error the process is partly sealed and can only end.
func Seal(a Attached) error {
	s, err := survey(a)
	if err != nil {
		return fmt.Errorf("seal: %w", err)
	}
	warm(a)
	filter, err := compile(calls(a, s))
	if err != nil {
		return fmt.Errorf("seal: %w", err)
	}
	for _, step := range []func() error{
		func() error { return dropPrivileges(a) },
		func() error { return restrict(a) },
		func() error { return install(filter) },
	} {
		if err := step(); err != nil {
			return fmt.Errorf("seal: %w", err)
		}
	}
	return nil
}
