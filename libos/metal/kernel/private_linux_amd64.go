package kernel

// Numbers of our own system calls, which ordinary code makes by metalCall.
const (
	callInterrupt = 0x6d00 + iota // interrupt of a device as a descriptor
	callMessage                   // message-signalled interrupt as a descriptor
	callDMA                       // contiguous pages for a device
)
