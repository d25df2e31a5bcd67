//go:build amd64 && !cgo

package sealed

// Seal gives up everything but what is attached, for all threads and for good. It is
// called once, when all that is attached is open and nothing else is. After an
// error the process is partly sealed and can only end.
func Seal(a Attached) error {
	s, err := survey(a)
	if err != nil {
		return err
	}
	warm(a)
	filter, err := compile(calls(a, s))
	if err != nil {
		return err
	}
	if err := dropPrivileges(a); err != nil {
		return err
	}
	if err := restrict(a); err != nil {
		return err
	}
	return install(filter)
}
