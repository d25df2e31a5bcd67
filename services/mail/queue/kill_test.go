package queue

import (
	"bufio"
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-smtp"

	"cairn/store"
	"cairn/store/gitdir"
)

// perLife is how many messages a process of TestKill accepts, if it lives.
const perLife = 40

// TestKill: a process that is killed at any time, several times over, on a repository on disk loses nothing
// that it has accepted.
func TestKill(t *testing.T) {
	dir, err := os.MkdirTemp("", "kill") // with a short name, for the socket
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	repo, socket := filepath.Join(dir, "repo.git"), filepath.Join(dir, "s")
	if err := gitdir.Init(repo); err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	b := &sink{}
	server := smtp.NewServer(b)
	server.Domain, server.ErrorLog = "mx.test", quiet{}
	go server.Serve(l)
	defer server.Close()

	const lives = 5
	var accepted []string
	for life := range lives {
		accepted = append(accepted, liveAndDie(t, dir, life, 1+rand.IntN(perLife))...)
	}
	accepted = append(accepted, liveAndDie(t, dir, lives, -1)...) // the last one ends by itself
	got, twice := b.recipients(), 0
	for _, to := range accepted {
		if got[to] == 0 {
			t.Errorf("%s was accepted and got nothing", to)
		}
		twice += max(got[to]-1, 0)
	}
	if len(accepted) == 0 || twice > lives*5 {
		t.Errorf("%d were accepted, and %d sent twice", len(accepted), twice)
	}
}

// liveAndDie has a process of its own accept and send, kills it when it has accepted some and returns
// whom it has accepted.
func liveAndDie(t *testing.T, dir string, life, kill int) (accepted []string) {
	t.Helper()
	c := exec.Command(os.Args[0], "-test.run=^TestChild$")
	c.Env = append(os.Environ(), "CAIRN_QUEUE_DIR="+dir, fmt.Sprint("CAIRN_QUEUE_LIFE=", life))
	c.Stderr = os.Stderr
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	done := false
	for s := bufio.NewScanner(out); s.Scan(); {
		to, ok := strings.CutPrefix(s.Text(), "accepted ")
		if ok {
			accepted = append(accepted, to)
		}
		done = done || s.Text() == "empty"
		if len(accepted) == kill {
			c.Process.Kill()
		}
	}
	c.Wait()
	if kill < 0 && !done {
		t.Error("the last process did not come to its end")
	}
	return accepted
}

// TestChild is the process of TestKill.
func TestChild(t *testing.T) {
	dir := os.Getenv("CAIRN_QUEUE_DIR")
	if dir == "" {
		return // only within TestKill
	}
	d, err := gitdir.Open(filepath.Join(dir, "repo.git"), gitdir.Options{})
	if err != nil {
		t.Fatal(err)
	}
	w := newWorld()
	w.host("mx.example.test", "192.0.2.1")
	w.records("example.test", "10 mx.example.test.")
	h := newHouse(t, w, d)
	h.o.Dial = func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", filepath.Join(dir, "s"))
	}
	h.open()
	h.start()
	for i := range perLife {
		to := fmt.Sprintf("user%d-%s@example.test", i, os.Getenv("CAIRN_QUEUE_LIFE"))
		err := h.repo.Branch(Branch).Update(context.Background(), store.Change{Message: "put"}, func(tx *store.Tx) error {
			_, err := h.q.Put(tx, letter(to))
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		fmt.Println("accepted", to)
		time.Sleep(time.Millisecond)
	}
	h.empty()
	h.stop()
	fmt.Println("empty")
}
