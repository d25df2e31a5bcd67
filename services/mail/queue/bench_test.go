package queue

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"cairn/store"
	"cairn/store/gitdir"
	"cairn/store/object"
)

// onDisk returns a house whose repository lies on disk, and every change of it is synced.
func onDisk(b *testing.B) *house {
	b.Helper()
	path := filepath.Join(b.TempDir(), "repo.git")
	if err := gitdir.Init(path); err != nil {
		b.Fatal(err)
	}
	dir, err := gitdir.Open(path, gitdir.Options{})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { dir.Close() })
	h := newHouse(b, newWorld(), dir)
	h.o.Log = nil
	h.open()
	return h
}

func (h *house) add(ctx context.Context, m Message) error {
	return h.repo.Branch(Branch).Update(ctx, store.Change{Message: "put"}, func(tx *store.Tx) error {
		_, err := h.q.Put(tx, m)
		return err
	})
}

// fourK is a message of 4 KB.
func fourK(to ...string) Message {
	m := letter(to...)
	m.Raw = append(m.Raw, bytes.Repeat([]byte("A line of a message, of which there are several.\r\n"), 80)...)
	return m
}

// BenchmarkPut queues messages of 4 KB durably, while 0 or 100,000 others wait: from one sender, and
// from ten at a time, for each processor.
func BenchmarkPut(b *testing.B) {
	for _, there := range []int{0, 10_000, 100_000} {
		h := onDisk(b)
		for n := 0; n < there; n += 1000 {
			if err := h.many(1000, "bob@example.test"); err != nil {
				b.Fatal(err)
			}
		}
		for _, at := range []int{1, 10} {
			b.Run(fmt.Sprintf("waiting=%d/senders=%d", there, at*runtime.GOMAXPROCS(0)), func(b *testing.B) {
				b.SetParallelism(at)
				b.RunParallel(func(p *testing.PB) {
					for p.Next() {
						if err := h.add(b.Context(), fourK("bob@example.test")); err != nil {
							b.Error(err)
						}
					}
				})
				b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "messages/s")
			})
		}
	}
}

// BenchmarkStart makes the schedule of what waits.
func BenchmarkStart(b *testing.B) {
	h := onDisk(b)
	const there = 10_000
	if err := h.many(there, "bob@example.test"); err != nil {
		b.Fatal(err)
	}
	tree, err := h.repo.Branch(Branch).Tree(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		s := &sender{q: h.q, schedule: newSchedule(1, 1)}
		if err := s.learn(b.Context(), &store.Tree{}, tree); err != nil || len(s.schedule.items) != there {
			b.Fatalf("%d items, %v", len(s.schedule.items), err)
		}
	}
	b.ReportMetric(there*float64(b.N)/b.Elapsed().Seconds(), "entries/s")
}

// BenchmarkPost sends one message of 4 KB to 10,000 recipients whose server is smtp-sink, one to 2,000 domains
// that have it as their server, and 2,000 messages to one recipient each; from Put to the last one off the queue; the latter also while 20,000 others are held.
func BenchmarkPost(b *testing.B) {
	sink := startSink(b)
	for _, post := range []struct {
		name string
		to   int64
		fill func(h *house) error
		held int
	}{
		{"one message", 10_000, func(h *house) error { return h.add(b.Context(), fourK(addresses(10_000, "example.test")...)) }, 0},
		{"one message to 2000 domains", 2000, func(h *house) error {
			var to []string
			for i := range 2000 {
				h.world.records(fmt.Sprintf("d%d.test", i), "10 mx.example.test.")
				to = append(to, fmt.Sprintf("bob@d%d.test", i))
			}
			return h.add(b.Context(), fourK(to...))
		}, 0},
		{"2000 messages", 2000, func(h *house) error { return h.many(2000, "bob@example.test") }, 0},
		{"2000 messages beside 20000", 2000, func(h *house) error { return h.many(2000, "bob@example.test") }, 20_000},
	} {
		b.Run(post.name, func(b *testing.B) {
			h := onDisk(b)
			if post.held > 0 {
				if err := h.many(post.held, "bob@example.com"); err != nil {
					b.Fatal(err)
				}
				if err := h.q.Hold(b.Context(), object.Signature{Name: "alice", Email: "alice@home.test"}); err != nil {
					b.Fatal(err)
				}
			}
			count := &sent{}
			h.o.Log = slog.New(count)
			h.world.host("mx.example.test", "192.0.2.1")
			h.world.records("example.test", "10 mx.example.test.")
			h.o.Dial = func(ctx context.Context, _, _ string) (net.Conn, error) {
				return (&net.Dialer{}).DialContext(ctx, "unix", sink)
			}
			h.open()
			h.start()
			for b.Loop() {
				before := count.n.Load()
				if err := post.fill(h); err != nil {
					b.Fatal(err)
				}
				for count.n.Load() < before+post.to {
					time.Sleep(time.Millisecond)
				}
			}
			b.ReportMetric(float64(count.n.Load())/b.Elapsed().Seconds(), "recipients/s")
			h.stop()
		})
	}
}

// many queues messages of 4 KB to one recipient each, in one commit.
func (h *house) many(n int, to string) error {
	return h.repo.Branch(Branch).Update(context.Background(), store.Change{Message: "put"}, func(tx *store.Tx) error {
		for range n {
			if _, err := h.q.Put(tx, fourK(to)); err != nil {
				return err
			}
		}
		return nil
	})
}

// sent counts the recipients that have been sent to, by what is logged after that is written down.
type sent struct {
	slog.Handler
	n atomic.Int64
}

func (s *sent) Enabled(_ context.Context, l slog.Level) bool { return l >= slog.LevelInfo }

func (s *sent) Handle(_ context.Context, r slog.Record) error {
	if r.Message == "queue: sent" {
		s.n.Add(1)
	}
	return nil
}

// startSink starts smtp-sink and returns its socket.
func startSink(b *testing.B) string {
	path, err := exec.LookPath("smtp-sink")
	if err != nil {
		b.Skip("smtp-sink, of Postfix, is not installed")
	}
	dir, err := os.MkdirTemp("", "sink")
	if err != nil {
		b.Fatal(err)
	}
	socket := filepath.Join(dir, "s")
	args := []string{"unix:" + socket, "1000"}
	if os.Getuid() == 0 {
		args = append([]string{"-u", "nobody"}, args...)
		if err := os.Chmod(dir, 0o777); err != nil {
			b.Fatal(err)
		}
	}
	c := exec.Command(path, args...)
	if err := c.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		c.Process.Kill()
		c.Wait()
		os.RemoveAll(dir)
	})
	until(b, "smtp-sink", func() bool { _, err := os.Stat(socket); return err == nil })
	return socket
}
