package kernel

// Random numbers of the monitor's, from a virtio entropy source (virtio 1.2, 5.4).

var rng struct {
	polled
	tried, open bool
}

const kindEntropy = 4

// earlyRandom fills n bytes at a with random numbers of the monitor's; false if it
// has none to give.
func earlyRandom(a, n uintptr) bool {
	if !rng.tried {
		rng.tried = true
		for i := 0; i < deviceCount && !rng.open; i++ {
			rng.open = devices[i].Kind == kindEntropy && rng.polled.open(&devices[i], 1)
		}
	}
	buffer := direct + rng.buffer
	for n > 0 {
		if !rng.open {
			return false
		}
		written, ok := rng.give(uint32(min(n, polledBuffer)), descWrite)
		if !ok || written == 0 {
			return false
		}
		copymem(a, buffer, uintptr(written))
		zero(buffer, uintptr(written))
		a, n = a+uintptr(written), n-uintptr(written)
	}
	return true
}
