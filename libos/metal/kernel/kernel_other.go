//go:build !(linux && amd64)

package kernel

// Running tells whether this program is its own operating system; here it never is.
func Running() bool { return false }
