package smtp

import (
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"cairn/store/gitdir"
)

// BenchmarkIngest measures messages of 4 KB that are taken and delivered, on disk. What it
// reports as ns/op is per message, whatever the number of sessions.
func BenchmarkIngest(b *testing.B) {
	text := "From: bob@elsewhere.example\r\nSubject: benchmark\r\n\r\n" + strings.Repeat("All work and no play makes Jack a dull boy, and his letters long.\r\n", 60)
	for _, sessions := range []int{1, 10} {
		b.Run(fmt.Sprintf("sessions=%d", sessions), func(b *testing.B) {
			path := filepath.Join(b.TempDir(), "repo.git")
			check(b, gitdir.Init(path))
			backend, err := gitdir.Open(path, gitdir.Options{})
			check(b, err)
			b.Cleanup(func() { backend.Close() })
			h := openOn(b, backend)
			addr := h.listen(Relay)
			work := make(chan int)
			var clients sync.WaitGroup
			b.ResetTimer()
			for range sessions {
				clients.Go(func() {
					c := dial(b, addr)
					c.want("220")
					c.do("EHLO client.example", "250")
					for n := range work {
						c.send("MAIL FROM:<bob@elsewhere.example>\r\nRCPT TO:<alice@example.org>\r\nDATA\r\n")
						c.want("250")
						c.want("250")
						c.want("354")
						c.send(fmt.Sprintf("Message-ID: <%d@elsewhere.example>\r\n", n) + text + ".\r\n")
						c.want("250")
					}
				})
			}
			for n := range b.N {
				work <- n
			}
			close(work)
			clients.Wait()
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "msg/s")
		})
	}
}
