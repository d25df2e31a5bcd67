package mailbox

import (
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"cairn/store"
	"cairn/store/gitdir"
	"cairn/store/mem"
)

// newDisk makes a kit on a repository on disk.
func newDisk(tb testing.TB) (k *kit, path string) {
	tb.Helper()
	path = filepath.Join(tb.TempDir(), "repo.git")
	if err := gitdir.Init(path); err != nil {
		tb.Fatal(err)
	}
	dir, err := gitdir.Open(path, gitdir.Options{})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := dir.Close(); err != nil {
			tb.Error(err)
		}
	})
	return newKit(tb, dir, Options{}), path
}

// fill puts n small messages into INBOX, 1,000 in an Update.
func (k *kit) fill(n int) {
	k.Helper()
	for at := 0; at < n; {
		more := min(1000, n-at)
		k.must(func(e *Edit) error {
			for i := range more {
				if _, err := e.Append(Inbox, note(at+i)); err != nil {
					return err
				}
			}
			return nil
		})
		at += more
	}
}

// letter is a message of 4 KB that nobody has.
func letter() New {
	noise := make([]byte, 1400)
	_, _ = rand.Read(noise)
	raw := []byte("From: bob@localhost\r\nTo: alice@localhost\r\nSubject: a letter\r\n\r\n")
	text := base64.StdEncoding.EncodeToString(noise)
	for len(raw) < 4096 {
		n := min(76, len(text))
		raw = append(append(raw, text[:n]...), "\r\n"...)
		if text = text[n:]; text == "" {
			text = base64.StdEncoding.EncodeToString(noise)
		}
	}
	trace := fmt.Appendf(nil, "Return-Path: <bob@localhost>\r\nDelivered-To: alice@localhost\r\nReceived: from localhost by localhost with ESMTP; %s\r\n", time.Now().Format(time.RFC1123Z))
	return New{Trace: trace, Raw: store.NewBlob(raw)}
}

var sizes = []int{1_000, 10_000, 100_000}

// A delivery costs the same in a small mailbox and in a large one.
func BenchmarkDelivery(b *testing.B) {
	for _, n := range sizes {
		k, _ := newDisk(b)
		k.fill(n)
		for _, sessions := range []int{1, 10} {
			b.Run(fmt.Sprintf("messages=%d/sessions=%d", n, sessions), func(b *testing.B) {
				var left atomic.Int64
				left.Store(int64(b.N))
				done := make(chan error, sessions)
				b.ResetTimer()
				for range sessions {
					go func() {
						for left.Add(-1) >= 0 {
							msg := letter()
							if err := k.edit(func(e *Edit) error { _, err := e.Append(Inbox, msg); return err }); err != nil {
								done <- err
								return
							}
						}
						done <- nil
					}()
				}
				for range sessions {
					if err := <-done; err != nil {
						b.Fatal(err)
					}
				}
				b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "deliveries/s")
			})
		}
	}
}

// Nothing is remembered when a mailbox is opened cold, and the last version when it is opened warm.
func BenchmarkSelect(b *testing.B) {
	k, _ := newDisk(b)
	k.fill(100_000)
	b.Run("cold", func(b *testing.B) {
		for b.Loop() {
			k.repo = store.New(k.repo.Backend(), store.Options{})
			k.Boxes = Open(k.repo, k.Boxes.o)
			if got := k.open(Inbox).Len(); got != 100_000 {
				b.Fatalf("got %d messages", got)
			}
		}
	})
	b.Run("warm", func(b *testing.B) {
		for b.Loop() {
			k.open(Inbox)
		}
	})
	b.Run("after-delivery", func(b *testing.B) {
		for b.Loop() {
			b.StopTimer()
			k.deliver(Inbox, 1)
			b.StartTimer()
			k.open(Inbox)
		}
	})
}

func BenchmarkFlag(b *testing.B) {
	for _, n := range sizes {
		b.Run(fmt.Sprintf("messages=%d", n), func(b *testing.B) {
			k, _ := newDisk(b)
			k.fill(n)
			i := 0
			for b.Loop() {
				k.must(func(e *Edit) error {
					_, err := e.SetFlags(Inbox, []UID{UID(i%n + 1)}, func(m Message) Flags {
						if m.Flags.Has(Seen) {
							return m.Flags.Without(NewFlags(Seen))
						}
						return m.Flags.With(NewFlags(Seen))
					})
					return err
				})
				i += 37
			}
		})
	}
}

// Work without a disk: what the function of an Update costs.
func BenchmarkEdit(b *testing.B) {
	k := newKit(b, mem.New(), Options{})
	k.fill(10_000)
	b.ReportAllocs()
	for b.Loop() {
		k.deliver(Inbox, 1)
	}
}
