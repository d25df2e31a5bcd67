package kernel

// Sizes of the kernel's stacks, in bytes, for tests from outside.
const (
	KernelStack = kernelStack * pageSize
	FaultStack  = faultStack * pageSize
	FatalStack  = fatalStack * pageSize
)
