package test

import (
	"path/filepath"
	"testing"
)

// network is QEMU's, without a way in.
var network = []string{"-netdev", "user,id=n0", "-device", "virtio-net-device,netdev=n0"}

// TestMetalRefused starts machines that cannot be: each says why, and what to do, and
// ends with a status.
func TestMetalRefused(t *testing.T) {
	remote := []string{"--remote", "git://10.0.2.2:9/r.git"} // where nobody is
	secure := []string{"--remote", "https://10.0.2.2:9/r.git", "--remote-ca", "/etc/ca.pem"}
	h := newHome(t) // which would answer over TLS
	none := []string{}
	disk := filepath.Join(t.TempDir(), "disk")
	write(t, disk, make([]byte, 1<<20))
	for _, c := range []struct {
		name   string
		s      setting
		args   []string
		status int
		says   string
	}{
		{"an argument that is none", setting{devices: network}, []string{"--nonsense"}, 2, `unipi: .*nonsense`},
		{"a value that is none", setting{devices: network}, append(remote, "--ipv4", "here"), 1, `unipi: .*--ipv4`},
		{"no repository", setting{devices: network}, nil, 1, `unipi: .*--remote`},
		{"the repository is away", setting{devices: network}, remote, 1, `unipi: .*10\.0\.2\.2:9`},
		{"no entropy", setting{devices: network, cpu: "qemu64"}, remote, 2, `(?i)entropy|random`},
		{"a clock of the year 2001", setting{devices: network, files: h.files, more: []string{"-rtc", "base=2001-01-01"}}, h.args, 1, `unipi: .*2001`},
		{"no network card", setting{devices: none}, remote, 1, `unipi: .*card`},
		{"two network cards", setting{devices: network, more: []string{"-netdev", "user,id=n1", "-device", "virtio-net-device,netdev=n1"}}, remote, 1, `unipi: .*card`},
		{"a disk that nobody asked for", setting{devices: network, more: []string{"-drive", "if=none,id=d,format=raw,file=" + disk, "-device", "virtio-blk-device,drive=d,serial=other"}}, remote, 1, `unipi: .*disk`},
		{"a file that is not on the disk", setting{devices: network, files: map[string][]byte{"/etc/other": nil}}, secure, 1, `unipi: .*etc/ca\.pem`},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.s.memory == 0 {
				c.s.memory = 64
			}
			boot(t, "unipi", c.s, c.args...).ends(c.status, c.says)
		})
	}
}

// TestMetalEntropy starts a machine that has a device for entropy in place of the
// instruction.
func TestMetalEntropy(t *testing.T) {
	m := boot(t, "unipi", setting{memory: 64, cpu: "qemu64", devices: network, more: []string{"-device", "virtio-rng-device"}}, "--help")
	m.ends(0, `Usage|--remote`)
}

// TestMetalMemory serves more than the machine can hold: it says so, and either goes on or
// ends with a status.
func TestMetalMemory(t *testing.T) {
	campaign(t)
	h := newHome(t)
	write(t, h.work+"/large.bin", noise(48<<20))
	h.publish(t, "one")
	m := boot(t, "unipi", setting{files: h.files, memory: 40}, h.args...)
	found := m.says(`(?m)^(cairn: exit status [12]|unipi: serving .*)$`)
	if found[1][0] == 'c' {
		return
	}
	m.shows("one", "http://127.0.0.1:"+m.plain.Number()+"/")
}
