package libos

// Limits name what a Net may be used for. The zero value allows nothing.
type Limits struct {
	// Listen has patterns network:port: "tcp:443", "udp:53"; "tcp:*" is every
	// port. A network stands for both of its families. A port that the network chooses is
	// port 0.
	Listen []string

	// Dial has patterns host:port, for every network: "git.example.org:443",
	// "*.example.org:25" (whatever ends so, not example.org itself), "192.0.2.1:53",
	// "[2001:db8::1]:53", "10.0.0.0/8:443", "[2001:db8::]/32:443". As host, "*" is every
	// name and address, as port every port; "*" alone is everything.
	Dial []string
}

// A RefusedError says that something is not in the manifest.
type RefusedError struct {
	What string // as a pattern that would allow it: `Listen "tcp:443"`
}

func (e *RefusedError) Error() string {
	return "not in the manifest, which would have to name it: " + e.What
}
