// Package vm starts virtual machines under QEMU, for tests and benchmarks: an image on
// its own, with a console that can be read while it runs.
//
//	v, err := vm.Machine{Kernel: "unipi.img", Append: "--remote git://10.0.2.2/r.git", Memory: 64}.Start(ctx)
//	err = v.Await(ctx, regexp.MustCompile(`serving`))
//	status, err := v.Wait(ctx)
//
// Instructions are translated (TCG), so that it works on every machine, at a tenth
// of the speed. QEMU ends with the process that has started it.
package vm
