// Package ringtest runs the standard library's own test suites in ring 0: strings.test,
// math.test and so on, each booted as a virtual machine of its own. What they find is wrong
// in the kernel: a register that is not restored, a clock that goes back, a page that
// is not zero.
//
// The kernel's sources are laid into internal/testlog, a small package that os and so
// every test binary imports, by the -overlay of the go command; GOROOT is not touched. (An
// overlay can add assembly only to a package that is there, and the suites import nothing of
// ours.) The kernel imports nothing but unsafe so that this can be done.
//
// There are no files, no other processes and no network in there: tests that want them
// are left out by name, each with the reason, see Suites.
package ringtest
