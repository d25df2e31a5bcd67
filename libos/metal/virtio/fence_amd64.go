package virtio

// fence lets no load go ahead of a store before it. For a processor the stores of
// package atomic do. QEMU translates instructions for a machine of one processor as if nobody
// else were there, lock prefixes left out and, before version 8.1, MFENCE too; but its
// devices run in a thread of their own. Reading the time-stamp counter is a fence there, by the
// lock that it takes. Without it one doorbell or interrupt in some hundred thousand is
// lost, and both sides wait for each other for ever.
func fence()
