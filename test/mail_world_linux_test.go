package test

import (
	"fmt"
	"net"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// A mailWorld is a network in which cairns have addresses and ports of their own, with a name
// server at 192.0.2.1, from which other programs write, too.
type mailWorld struct {
	*namespace
	zone *zone
}

func newMailWorld(t *testing.T) *mailWorld {
	t.Helper()
	w := &mailWorld{namespace: newNamespaceOf(t, `
		link add br0 type bridge
		tuntap add tap0 mode tap vnet_hdr
		tuntap add tap1 mode tap vnet_hdr
		link set tap0 master br0
		link set tap1 master br0
		address add 192.0.2.1/24 dev br0
		link set tap0 up
		link set tap1 up
		link set br0 up`)}
	var tcp net.Listener
	var udp net.PacketConn
	err := w.Inside(func() (err error) {
		if tcp, err = net.Listen("tcp", "192.0.2.1:53"); err == nil {
			udp, err = net.ListenPacket("udp", "192.0.2.1:53")
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	w.zone = serveZone(t, tcp, udp)
	return w
}

// A member is a cairn in the world that serves the mail of a domain.
type member struct {
	*instance
	w      *mailWorld
	domain string
	at     string
}

// cairn starts a cairn at 192.0.2.host, with alice in it, and tells the name server of its domain.
func (w *mailWorld) cairn(domain string, host int, env ...string) *member {
	w.t.Helper()
	m := &member{w: w, domain: domain, at: fmt.Sprint("192.0.2.", host)}
	home := filepath.Join(w.dir, domain)
	cmd := w.command(filepath.Join(binDir, "cairn"), "up", "--home", home, "--net", fmt.Sprint("tap", host%10), "--ipv4", m.at+"/24", "--dns", "192.0.2.1",
		"--tls", "seed", "--domain", domain, "--allow-private")
	cmd.Env = append(cmd.Env, env...)
	var err error
	if m.instance, err = launch(cmd, home, filepath.Join(w.dir, domain+".log")); err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() {
		if err := m.stop(syscall.SIGINT); err != nil && !m.killed {
			w.t.Errorf("cairn up ended with %v", err)
		}
		if w.t.Failed() || strings.Contains(m.said(), "level=ERROR") {
			w.t.Errorf("%s says:\n%s", domain, m.said())
		}
	})
	newPerson(w.t, m.instance, "alice")
	m.instance.cairn(w.t, "domain", "add", domain, "--address", m.at)
	w.zone.add(m.instance.cairn(w.t, "domain", "records", domain, "--zone", "--address", m.at))
	w.zone.add(fmt.Sprintf("%d.2.0.192.in-addr.arpa. PTR mail.%s.", host, domain))
	return m
}

// swaks brings mail from 192.0.2.1, and is taken.
func (w *mailWorld) swaks(args ...string) {
	w.t.Helper()
	program(w.t, "swaks")
	w.run(append([]string{"swaks", "--helo", "mx.far.test"}, args...)...)
}

// submit has alice send a message.
func (m *member) submit(to, subject string, args ...string) {
	m.w.t.Helper()
	m.w.swaks(append([]string{"--server", m.at + ":587", "-tls", "--auth", "PLAIN", "--auth-user", "alice", "--auth-password", secret,
		"--from", "alice@" + m.domain, "--to", to, "--h-Subject", subject}, args...)...)
}

// box is what lies in a mailbox, such as alice/INBOX, message by message.
func (m *member) box(name string) []string {
	m.w.t.Helper()
	cmd := m.w.command(filepath.Join(binDir, "cairn"), "--home", m.home, "mail", "export", name, "-")
	out, err := cmd.Output()
	if err != nil {
		m.w.t.Fatal(err)
	}
	all := strings.Split("\n"+string(out), "\nFrom ")
	return all[1:]
}

// gets waits for a message in which all of that stands, and returns it with its fields unfolded.
func (m *member) gets(box string, words ...string) (found string) {
	m.w.t.Helper()
	var all []string
	err := wait(fmt.Sprintf("%q in %s of %s", words, box, m.domain), func() error {
		all = m.box(box)
		for _, text := range all {
			text = strings.NewReplacer("\n\t", " ", "\n ", " ").Replace(text)
			missing := false
			for _, word := range words {
				missing = missing || !strings.Contains(text, word)
			}
			if !missing {
				found = text
				return nil
			}
		}
		return fmt.Errorf("there are %d messages, and not that", len(all))
	})
	if err != nil {
		m.w.t.Fatalf("%v\n%s\nqueue:\n%s", err, strings.Join(all, "\n---\n"), m.instance.cairn(m.w.t, "queue", "list"))
	}
	return found
}

// idles waits until nothing is left in the queue.
func (m *member) idles() {
	m.w.t.Helper()
	err := wait("the queue of "+m.domain, func() error {
		out := m.instance.cairn(m.w.t, "queue", "list")
		if !strings.Contains(out, "Nothing waits.") {
			return fmt.Errorf("in it is\n%s", out)
		}
		return nil
	})
	if err != nil {
		m.w.t.Fatal(err)
	}
}
