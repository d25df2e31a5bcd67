//go:build amd64 && !cgo

package sealed

import (
	"context"
	"crypto/x509"
	"mime"
	"net"
	"runtime"
	"sync"
	"time"
)

// warm does now what the standard library puts off to its first use and opens
// files or sockets for.
func warm(a Attached) {
	// With a number set, the runtime does not look for other limits of the machine later.
	runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	startThreads(runtime.GOMAXPROCS(0))

	_, _ = time.Now().Zone()      // the local time zone
	mime.TypeByExtension(".html") // the system's table of types
	_, _ = x509.SystemCertPool()  // where there are none, there will be none
	if a.Host != nil {
		warmNetwork()
	}
}

// startThreads has the runtime run n goroutines at once, each on a thread of its own.
func startThreads(n int) {
	var started, done sync.WaitGroup
	started.Add(n)
	for range n {
		done.Go(func() {
			runtime.LockOSThread()
			defer runtime.UnlockOSThread()
			started.Done()
			started.Wait()
		})
	}
	done.Wait()
}

// warmNetwork has package net find out what the kernel can do, and read the names of ports.
func warmNetwork() {
	if l, err := net.Listen("tcp", "127.0.0.1:0"); err == nil {
		l.Close()
	}
	_, _ = net.DefaultResolver.LookupPort(context.Background(), "tcp", "http")
}
