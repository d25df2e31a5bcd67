//go:build !amd64

package virtio

// fence has nothing to add to the stores of package atomic.
func fence() {}
