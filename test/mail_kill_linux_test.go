package test

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/textproto"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// TestMailKill kills a cairn while messages come in: each that was acknowledged is there
// afterwards, once.
func TestMailKill(t *testing.T) {
	dir := t.TempDir()
	home, log := filepath.Join(dir, "home"), filepath.Join(dir, "up.log")
	z := newZone(t)
	var i *instance
	again := func() {
		t.Helper()
		var err error
		if i, err = start(home, log, os.Environ(), "-dns", z.address); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = i.stop(syscall.SIGKILL) })
	}
	again()
	alice, bob := newPerson(t, i, "alice"), newPerson(t, i, "bob")
	const senders = 4
	var mu sync.Mutex
	sure, maybe := map[string]bool{}, map[string]bool{} // by Message-ID: acknowledged, and sent without an answer
	for round := range 4 {                              // killed after that many more messages each
		var wg sync.WaitGroup
		count := make(chan struct{}, 1<<16)
		for n := range senders {
			wg.Go(func() {
				s, err := dialSMTP(i.Mail["smtp"])
				if err != nil {
					return // killed
				}
				defer s.Close()
				for m := 0; ; m++ {
					subject := fmt.Sprintf("m-%d-%d-%d", round, n, m)
					mu.Lock()
					maybe[subject] = true
					mu.Unlock()
					err := s.sendBoth(letter("carol@example.org", "alice@localhost", subject, strings.Repeat("Hello.\r\n", 100)))
					if refused, ok := errors.AsType[*textproto.Error](err); ok {
						t.Errorf("%s: %v", subject, refused)
					}
					if err != nil {
						return // killed
					}
					mu.Lock()
					sure[subject] = true
					mu.Unlock()
					count <- struct{}{}
				}
			})
		}
		for range 5 + 13*round {
			select {
			case <-count:
			case <-time.After(time.Minute):
				t.Fatalf("no message is taken any more\n%s", i.said())
			}
		}
		i.kill()
		wg.Wait()
		again()
	}
	for _, p := range []*person{alice, bob} {
		p.i = i
		all, err := p.mail("INBOX")
		if err != nil {
			t.Fatal(err)
		}
		got := map[string]int{}
		for _, text := range all {
			subject := following(text, "\r\nSubject: (.*)\r\n")
			got[subject]++
			if !maybe[subject] || got[subject] > 1 || !strings.HasSuffix(text, strings.Repeat("Hello.\r\n", 100)+"\r\n") {
				t.Errorf("%s has %d times:\n%s", p.name, got[subject], text)
			}
		}
		for subject := range sure {
			if got[subject] != 1 {
				t.Errorf("%s was acknowledged, and %s has it %d times", subject, p.name, got[subject])
			}
		}
		t.Logf("%s: %d acknowledged, %d there", p.name, len(sure), len(all))
	}
	git(t, filepath.Join(home, "repo.git"), "fsck", "--strict", "--full")
}

// sendBoth brings one message for both.
func (s session) sendBoth(message string) error {
	for _, line := range []string{"MAIL FROM:<carol@example.org>", "RCPT TO:<alice@localhost>", "RCPT TO:<bob@localhost>"} {
		if _, err := s.ask(250, "%s", line); err != nil {
			return err
		}
	}
	if _, err := s.ask(354, "DATA"); err != nil {
		return err
	}
	w := s.DotWriter()
	_, err := io.WriteString(w, message)
	if err = errors.Join(err, w.Close()); err == nil {
		_, _, err = s.ReadResponse(250)
	}
	return err
}

// A sink takes mail as a smarthost does and counts it.
type sink struct {
	mu    sync.Mutex
	count map[string]int // by subject, what was answered with 250
	enter chan struct{}  // one for each message that has come, before the answer
	hold  bool           // messages are not answered
}

func (k *sink) serve(c net.Conn) {
	defer c.Close()
	s := textproto.NewConn(c)
	reply := "220 sink ESMTP"
	for {
		if s.PrintfLine("%s", reply) != nil {
			return
		}
		line, err := s.ReadLine()
		if err != nil {
			return
		}
		reply = "250 ok"
		switch verb := strings.ToUpper(strings.SplitN(line, " ", 2)[0]); verb {
		case "QUIT":
			return
		case "DATA":
			if s.PrintfLine("354 go on") != nil {
				return
			}
			data, err := io.ReadAll(s.DotReader())
			if err != nil {
				return
			}
			subject := following(string(data), "(?m)^Subject: (.*)$")
			k.mu.Lock()
			hold := k.hold
			if !hold {
				k.count[subject]++
			}
			k.mu.Unlock()
			select {
			case k.enter <- struct{}{}:
			default:
			}
			if hold {
				_, _ = s.ReadLine() // until the other side is dead
				return
			}
		}
	}
}

// TestMailKillQueue kills a cairn that is sending: what was taken to be sent is sent, once where
// nothing was between.
func TestMailKillQueue(t *testing.T) {
	dir := t.TempDir()
	trusted, ca := newAuthority(t, "relay.test"), filepath.Join(dir, "ca.pem")
	write(t, ca, trusted.pem)
	cert, err := tls.X509KeyPair(trusted.cert, trusted.key)
	if err != nil {
		t.Fatal(err)
	}
	l, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{cert}})
	if err != nil {
		t.Fatal(err)
	}
	k := &sink{count: map[string]int{}, enter: make(chan struct{}, 1), hold: true}
	var serving sync.WaitGroup
	serving.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go k.serve(c)
		}
	})
	t.Cleanup(func() { l.Close(); serving.Wait() })
	home, log := filepath.Join(dir, "home"), filepath.Join(dir, "up.log")
	env := append(os.Environ(), "SSL_CERT_FILE="+ca)
	z := newZone(t, "relay.test. A 127.0.0.1")
	args := []string{"-dns", z.address, "-allow-private"}
	i, err := start(home, log, env, args...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = i.stop(syscall.SIGKILL) })
	newPerson(t, i, "bob")
	i.cairn(t, "mail", "smarthost", "smtps://relay.test:"+port(l.Addr().String()))
	const messages = 20
	for n := range messages {
		dir := t.TempDir()
		if out, err := judged(t, dir, "swaks", "--server", i.Mail["submission"], "--auth", "PLAIN", "--auth-user", "bob", "--auth-password", secret, "--from", "bob@localhost", "--to", "carol@far.test", "--h-Subject", fmt.Sprint("number ", n)); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
	}
	select {
	case <-k.enter: // one is at the sink, which does not answer
	case <-time.After(time.Minute):
		t.Fatalf("nothing comes\n%s", i.said())
	}
	i.kill()
	k.mu.Lock()
	k.hold = false
	k.mu.Unlock()
	again, err := start(home, log, env, args...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = again.stop(syscall.SIGKILL) })
	err = wait("all messages", func() error {
		again.cairn(t, "queue", "retry")
		k.mu.Lock()
		defer k.mu.Unlock()
		if len(k.count) != messages {
			return fmt.Errorf("%d have come", len(k.count))
		}
		return nil
	})
	if err != nil {
		t.Fatalf("%v\n%s\n%s", err, again.cairn(t, "queue", "list"), again.said())
	}
	err = wait("the queue", func() error {
		if out := again.cairn(t, "queue", "list"); !strings.Contains(out, "Nothing waits") {
			return errors.New(out)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	for subject, n := range k.count {
		if n != 1 {
			t.Errorf("%q has come %d times", subject, n)
		}
	}
}
