package queue

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"
)

func (w *world) records(domain string, records ...string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.mx[domain] = nil
	for _, r := range records {
		var pref uint16
		var host string
		fmt.Sscan(r, &pref, &host)
		w.mx[domain] = append(w.mx[domain], &net.MX{Host: host, Pref: pref})
	}
}

func (w *world) host(name string, addrs ...string) {
	for _, a := range addrs {
		w.hosts[name] = append(w.hosts[name], netip.MustParseAddr(a))
	}
}

// TestHosts: in what order hosts and addresses are tried, and what is said where there are none.
func TestHosts(t *testing.T) {
	for _, test := range []struct {
		name    string
		to      string
		records []string
		dials   string // where each is refused
		answer  string
		final   bool
	}{
		{"by preference", "bob@d.test", []string{"20 b.test.", "10 a.test."}, "[2001:db8::1]:25 192.0.2.1:25 192.0.2.2:25", "b.test: dial", false},
		{"none: the domain itself", "bob@a.test", nil, "[2001:db8::1]:25 192.0.2.1:25", "a.test: dial", false},
		{"none and no domain", "bob@absent.test", nil, "", "absent.test has no address in the DNS", true},
		{"a host that is not", "bob@d.test", []string{"10 absent.test."}, "", "absent.test has no address in the DNS", true},
		{"one that is not and one that is", "bob@d.test", []string{"10 absent.test.", "20 b.test."}, "192.0.2.2:25", "b.test: dial", false},
		{"one that is and one that is not", "bob@d.test", []string{"10 b.test.", "20 absent.test."}, "192.0.2.2:25", "absent.test has no address", false},
		{"no mail (RFC 7505)", "bob@d.test", []string{"0 ."}, "", "d.test says that it takes no mail", true},
		{"we ourselves", "bob@d.test", []string{"10 mail.home.test.", "20 a.test."}, "", "leads back to this server", true},
		{"we ourselves and better ones", "bob@d.test", []string{"10 Mail.Home.Test.", "5 b.test.", "20 a.test.", "10 a.test."}, "192.0.2.2:25", "b.test: dial", false},
		{"we ourselves without MX", "bob@mail.home.test", nil, "", "leads back to this server", true},
		{"private", "bob@d.test", []string{"10 private.test."}, "", "private.test is at a private address", true},
		{"partly private", "bob@d.test", []string{"10 private.test.", "20 mixed.test."}, "192.0.2.3:25", "mixed.test: dial", false},
		{"no name of a host", "bob@d.test", []string{"10 bad!name."}, "", "name no host", true},
		{"a literal", "bob@[192.0.2.9]", nil, "192.0.2.9:25", "[192.0.2.9]: dial", false},
		{"a literal of IPv6", "bob@[IPv6:2001:db8::9]", nil, "[2001:db8::9]:25", "[ipv6:2001:db8::9]: dial", false},
		{"a private literal", "bob@[127.0.0.1]", nil, "", "private address", true},
		{"no literal", "bob@[nonsense]", nil, "", "has no address", true},
		{"in letters", "bob@bücher.test", nil, "192.0.2.4:25", "xn--bcher-kva.test: dial", false},
		{"many addresses", "bob@many.test", nil, "192.0.2.10:25 192.0.2.11:25 192.0.2.12:25 192.0.2.13:25", "many.test: dial", false},
	} {
		t.Run(test.name, func(t *testing.T) {
			inTime(t, func(t *testing.T, w *world, b *sink, h *house) {
				w.host("a.test", "192.0.2.1", "2001:db8::1")
				w.host("b.test", "192.0.2.2")
				w.host("private.test", "10.0.0.1", "127.0.0.1", "::1", "fe80::1", "::ffff:192.168.0.1")
				w.host("mixed.test", "10.0.0.1", "192.0.2.3")
				w.host("mail.home.test", "192.0.2.200")
				w.host("xn--bcher-kva.test", "192.0.2.4")
				w.host("many.test", "192.0.2.10", "192.0.2.11", "192.0.2.12", "192.0.2.13", "192.0.2.14", "192.0.2.15")
				w.records("d.test", test.records...)
				h.o.Allow = nil
				h.open()
				h.start()
				m := letter(test.to)
				h.put(m)
				time.Sleep(30 * time.Second)
				if got := strings.Join(w.dialled(), " "); got != test.dials {
					t.Errorf("dialled %q, want %q", got, test.dials)
				}
				switch all := h.list(); {
				case test.final && (len(all) != 0 || len(h.mail()) != 1 || !strings.Contains(unfold(h.mail()[0].Data), test.answer)):
					t.Errorf("got %+v and %+v, want %q at once", all, h.mail(), test.answer)
				case !test.final && (len(all) != 1 || !strings.HasPrefix(all[0].To[0].Answer, test.answer)):
					t.Errorf("got %+v, want %q", all, test.answer)
				}
			})
		})
	}
}

func unfold(s string) string { return strings.ReplaceAll(s, "\r\n ", " ") }

// TestEqual: hosts of the same preference are tried in any order.
func TestEqual(t *testing.T) {
	w := newWorld()
	h := newHouse(t, w, newBackend())
	w.records("d.test", "10 a.test.", "10 b.test.", "10 c.test.", "20 d.test.", "5 e.test.")
	seen := map[string]bool{}
	for range 2000 {
		names, err := h.q.hosts(context.Background(), "d.test")
		if err != nil {
			t.Fatal(err)
		}
		order := strings.Join(names, " ")
		if !strings.HasPrefix(order, "e.test ") || !strings.HasSuffix(order, " d.test") {
			t.Fatalf("got %s", order)
		}
		seen[order] = true
	}
	if len(seen) != 6 {
		t.Errorf("got %d orders, want 6: %v", len(seen), seen)
	}
}

// TestNextHost: a host that does not take part is passed over.
func TestNextHost(t *testing.T) {
	for name, first := range map[string]string{
		"greets with 554": "554 go away\r\n", "greets with 421": "421 busy\r\n", "does not speak SMTP": "SSH-2.0-x\r\n", "says nothing": "",
		"greets at length": "220-" + strings.Repeat("x", 5000) + "\r\n", "greets for ever": strings.Repeat("220-x\r\n", 20000),
	} {
		t.Run(name, func(t *testing.T) {
			inTime(t, func(t *testing.T, w *world, b *sink, h *house) {
				w.host("a.test", "192.0.2.1")
				w.host("b.test", "192.0.2.2")
				w.records("d.test", "10 a.test.", "20 b.test.")
				go say(w.raw(t, "192.0.2.1:25"), first)
				w.listen(t, "192.0.2.2:25", b)
				h.start()
				h.put(letter("bob@d.test"))
				h.empty5(10 * time.Minute)
				if len(b.all()) != 1 {
					t.Errorf("got %+v", b.all())
				}
			})
		})
	}
}

// say says something to everybody and closes; when it is nothing, it never says it.
func say(l net.Listener, what string) {
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		go func() {
			if what == "" {
				c.Read(make([]byte, 1))
			}
			c.Write([]byte(what))
			c.Close()
		}()
	}
}
