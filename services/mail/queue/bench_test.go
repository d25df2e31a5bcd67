package queue

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"cairn/store"
	"cairn/store/gitdir"
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
// from ten at a time.
func BenchmarkPut(b *testing.B) {
	for _, there := range []int{0, 10_000, 100_000} {
		h := onDisk(b)
		for n := 0; n < there; n += 1000 {
			err := h.repo.Branch(Branch).Update(b.Context(), store.Change{Message: "fill"}, func(tx *store.Tx) error {
				for range 1000 {
					if _, err := h.q.Put(tx, letter("bob@example.test")); err != nil {
						return err
					}
				}
				return nil
			})
			if err != nil {
				b.Fatal(err)
			}
		}
		for _, at := range []int{1, 10} {
			b.Run(fmt.Sprintf("waiting=%d/senders=%d", there, at), func(b *testing.B) {
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
	err := h.repo.Branch(Branch).Update(b.Context(), store.Change{Message: "fill"}, func(tx *store.Tx) error {
		for range there {
			if _, err := h.q.Put(tx, letter("bob@example.test")); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
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

// BenchmarkPost sends one message of 4 KB to 10,000 recipients whose server is smtp-sink, and 2,000
// messages to one each; from Put to the last one off the queue.
func BenchmarkPost(b *testing.B) {
	sink := startSink(b)
	for name, fill := range map[string]func(h *house) error{
		"one message": func(h *house) error { return h.add(b.Context(), fourK(addresses(10_000, "example.test")...)) },
		"2000 messages": func(h *house) error {
			return h.repo.Branch(Branch).Update(b.Context(), store.Change{Message: "put"}, func(tx *store.Tx) error {
				for range 2000 {
					if _, err := h.q.Put(tx, fourK("bob@example.test")); err != nil {
						return err
					}
				}
				return nil
			})
		},
	} {
		b.Run(name, func(b *testing.B) {
			h := onDisk(b)
			h.world.host("mx.example.test", "192.0.2.1")
			h.world.records("example.test", "10 mx.example.test.")
			h.o.Dial = func(ctx context.Context, _, _ string) (net.Conn, error) {
				return (&net.Dialer{}).DialContext(ctx, "unix", sink)
			}
			h.open()
			h.start()
			sent := 0
			for b.Loop() {
				if err := fill(h); err != nil {
					b.Fatal(err)
				}
				for _, i := range h.list() {
					sent += len(i.To)
				}
				for len(h.list()) > 0 {
					time.Sleep(5 * time.Millisecond)
				}
			}
			h.stop()
			b.ReportMetric(float64(sent)/b.Elapsed().Seconds(), "recipients/s")
		})
	}
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
