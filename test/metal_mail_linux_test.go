package test

import (
	"fmt"
	"maps"
	"net"
	"path/filepath"
	"strings"
	"testing"

	"cairn/internal/loopback"
)

// TestMetalMail takes mail in, lets somebody send and read it in a machine without an operating system and
// without a disk, and has it all after the loss of power: the repository is at a stock git host.
func TestMetalMail(t *testing.T) {
	program(t, "curl")
	h, a, z := newHome(t), newAuthority(t), newZone(t)
	_, names, err := net.SplitHostPort(z.address)
	if err != nil {
		t.Fatal(err)
	}
	ca := filepath.Join(t.TempDir(), "ca.pem")
	write(t, ca, a.pem)
	files := maps.Clone(h.files)
	files["/etc/cert.pem"], files["/etc/key.pem"] = a.cert, a.key
	files["/etc/seed"] = []byte(strings.Repeat("5e", 32) + "\n")
	in, out, read := loopback.Reserve(t), loopback.Reserve(t), loopback.Reserve(t)
	start := func() *metal {
		card := fmt.Sprintf("user,id=n0,hostfwd=tcp:127.0.0.1:%s-:25,hostfwd=tcp:127.0.0.1:%s-:465,hostfwd=tcp:127.0.0.1:%s-:993", in.Number(), out.Number(), read.Number())
		return boot(t, "mail", setting{files: files, memory: 160, devices: []string{"-netdev", card, "-device", "virtio-net-device,netdev=n0"}},
			append(h.args, "--seed-file", "/etc/seed", "--tls-cert", "/etc/cert.pem", "--tls-key", "/etc/key.pem", "--dns", "10.0.2.2:"+names)...)
	}
	m := start()
	m.says(`mail: serving .*\n`)
	login := []string{"--cacert", ca, "-u", "owner:" + m.says(`(?m)^Password +(\S+) `)[1]}
	inbox := func(what string) string {
		return m.curl(append(login, "imaps://localhost:"+read.Number()+"/INBOX"+what)...)
	}
	note := filepath.Join(t.TempDir(), "note")
	write(t, note, []byte(letter("bob@example.net", "owner@localhost", "from outside", "Hello.")))
	m.curl("smtp://localhost:"+in.Number(), "--mail-from", "bob@example.net", "--mail-rcpt", "owner@localhost", "--upload-file", note)
	write(t, note, []byte(letter("owner@localhost", "owner@localhost", "to myself", "Hello again.")))
	m.curl(append(login, "smtps://localhost:"+out.Number(), "--mail-from", "owner@localhost", "--mail-rcpt", "owner@localhost", "--upload-file", note)...)
	want := func() {
		t.Helper()
		for uid, subject := range map[string]string{"1": "from outside", "2": "to myself"} {
			if got := inbox(";UID=" + uid); !strings.Contains(got, "\r\nSubject: "+subject+"\r\n") {
				t.Errorf("message %s: got\n%s", uid, got)
			}
		}
	}
	want()
	m.Kill()
	m = start()
	m.says(`mail: serving .*\n`)
	want()
	h.Git("fsck", "--strict", "--full")
}
