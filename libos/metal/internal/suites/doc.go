// Package suites has the suites of package libostest try the drivers on QEMU's devices: its test
// starts machines that boot the test itself.
package suites
