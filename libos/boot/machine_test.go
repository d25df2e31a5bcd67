package boot

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"cairn/libos"
	"cairn/libos/metal"
	"cairn/net/cable"
	"cairn/net/stack"
)

// A romDisk is a disk of a machine that there is not.
type romDisk struct{ *bytes.Reader }

func (romDisk) WriteAt([]byte, int64) (int, error) { return 0, fs.ErrPermission }
func (romDisk) Sync() error                        { return nil }
func (romDisk) BlockSize() int                     { return 512 }
func (romDisk) ReadOnly() bool                     { return true }
func (romDisk) Close() error                       { return nil }

// disk is the nth disk of a machine, which holds some bytes.
func disk(n int, id string, data []byte) metal.Disk {
	return metal.Disk{Name: fmt.Sprintf("disk %d", n), ID: id, Block: romDisk{bytes.NewReader(data)}}
}

// runMachine runs a service on a machine and returns its exit status and what it printed.
func runMachine(t *testing.T, m libos.Manifest, has metal.Machine, args string, run Service) (status int, out, errs string) {
	t.Helper()
	var o, e bytes.Buffer
	p := program{machine(func() (*metal.Machine, error) { return &has, nil }), m, Terminal{Out: &o, Err: &e}, run, nil}
	status = p.main(t.Context(), strings.Fields(args))
	return status, o.String(), e.String()
}

// TestMachine serves on a machine's card, and reads what its disks hold.
func TestMachine(t *testing.T) {
	ours, theirs := cable.New(cable.Options{})
	client, err := stack.New(theirs, stack.Options{IPv4: netip.MustParsePrefix("192.0.2.1/24"), NoProbes: true})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	m := libos.Manifest{
		Name:  "sample",
		Ports: []libos.Port{{Name: "listen", Host: "127.0.0.1:8080", Own: ":80"}},
		Disks: []libos.Disk{{Name: "data", Required: true}},
		Args:  []libos.Arg{{Name: "key-file", Kind: libos.File}},
	}
	has := metal.Machine{
		Networks: []metal.Network{{Name: "card 0", Link: ours}},
		Disks:    []metal.Disk{disk(0, "files", pack(t, regular("etc/key", "secret"))), disk(1, "", []byte("data"))},
	}
	run := func(ctx context.Context, env libos.Env) error {
		l, err := env.Listen(ctx, "listen")
		if err != nil {
			return err
		}
		defer l.Close()
		go func() {
			c, err := l.Accept()
			if err != nil {
				return
			}
			defer c.Close()
			key, err := env.ReadFile("/etc/key")
			text := make([]byte, 4)
			_, diskErr := env.Disk("data").ReadAt(text, 0)
			fmt.Fprintf(c, "%s %v, %s %v, %v %v", key, err, text, diskErr, env.Addrs, env.Alone)
		}()
		c, err := client.Dial(ctx, "tcp", "192.0.2.7:80")
		if err != nil {
			return err
		}
		defer c.Close()
		_, err = io.Copy(env.Out, c)
		return err
	}
	status, out, errs := runMachine(t, m, has, "--ipv4 192.0.2.7/24 --mac 02:00:5e:10:00:07 --key-file /etc/key", run)
	if want := "secret <nil>, data <nil>, [192.0.2.7] true"; status != 0 || out != want {
		t.Errorf("got status %d and %q, want %q; errors: %s", status, out, want, errs)
	}
}

// TestMachineRefuses asks for what a machine has not, and gives it what nobody declared.
func TestMachineRefuses(t *testing.T) {
	card := func(n int) metal.Network {
		a, _ := cable.New(cable.Options{})
		t.Cleanup(func() { a.Close() })
		return metal.Network{Name: fmt.Sprintf("card %d", n), Link: a}
	}
	online := metal.Machine{Networks: []metal.Network{card(0)}}
	served := libos.Manifest{Name: "sample up", Ports: []libos.Port{{Name: "listen"}}, State: &libos.Folder{Name: "home"}}
	alone := libos.Manifest{Name: "sample", Disks: []libos.Disk{{Name: "data", Required: true}, {Name: "more"}},
		Args: []libos.Arg{{Name: "key-file", Kind: libos.File}}}
	for _, c := range []struct {
		m      libos.Manifest
		has    metal.Machine
		args   string
		status int
		errs   string
	}{
		{served, online, "--home /srv", 1, "sample: --home is a folder, and this machine has none: leave it away; what is to last is kept elsewhere (--remote URL)\n"},
		{served, online, "--net tap0", 1, "sample: --net is for a host: on this machine the network is at its own card\n"},
		{served, online, "--seal", 1, "sample: --seal is for a process on a host: this machine holds nothing but what is attached\n"},
		{served, online, "--hom /srv", 2, "sample: there is no argument --hom: is --home meant?\nTry: sample up --help\n"},
		{served, metal.Machine{}, "", 1, "sample: sample up needs a network, and this machine has no card: give it a virtio network card\n"},
		{served, metal.Machine{Networks: []metal.Network{card(0), card(1)}}, "", 1, "sample: sample up uses one network card: take away card 1\n"},
		{served, metal.Machine{Networks: online.Networks, Unknown: []string{"virtio balloon at 7"}}, "", 1,
			"sample: this machine has a device that no program here declares: virtio balloon at 7; take it away\n"},
		{served, metal.Machine{Networks: online.Networks, Disks: []metal.Disk{disk(0, "data", nil)}}, "", 1, "sample: sample up uses no such disk: take away disk 0\n"},
		{alone, online, "", 1, "sample: this machine has a network card, and sample uses none: take away card 0\n"},
		{alone, metal.Machine{}, "", 1, "sample: sample needs the disk data: give this machine a virtio disk with that ID\n"},
		{alone, metal.Machine{Disks: []metal.Disk{disk(0, "x", nil)}}, "--data y", 1, "sample: --data: this machine has no disk with the ID \"y\"\n"},
		{alone, metal.Machine{Disks: []metal.Disk{disk(0, "", nil)}}, "--key-file key", 1,
			"sample: read key: this machine has no disk of files: give it a virtio disk with the ID files that holds a tar archive\n"},
		{alone, metal.Machine{Disks: []metal.Disk{disk(0, "data", nil), disk(1, "files", []byte("no archive, whatever it is called"))}}, "", 1,
			"sample: " + errNoArchive.Error() + ": unexpected EOF\n"},
	} {
		status, _, errs := runMachine(t, c.m, c.has, c.args, func(_ context.Context, env libos.Env) error {
			_, err := env.ReadFile("key")
			return err
		})
		if status != c.status || errs != c.errs {
			t.Errorf("%s %s: got status %d and %q, want %d and %q", c.m.Name, c.args, status, errs, c.status, c.errs)
		}
	}
}

// TestMachineAddress makes sure that a machine asks for an address when it is told of none.
func TestMachineAddress(t *testing.T) {
	m := libos.Manifest{Ports: []libos.Port{{Name: "listen"}}, Args: Arguments}
	for text, want := range map[string]bool{"": true, "--gateway 192.0.2.1": true, "--ipv4 dhcp": true, "--ipv4 192.0.2.7/24": false, "--ipv6 auto": false, "--ipv6 auto --ipv4 dhcp": true} {
		args, err := m.Parse(strings.Fields(text), nil)
		if err != nil {
			t.Fatal(err)
		}
		link, _ := cable.New(cable.Options{})
		has := &metal.Machine{Networks: []metal.Network{{Name: "card 0", Link: link}}}
		d, err := machine(func() (*metal.Machine, error) { return has, nil })(m, args)
		if err != nil || d.card.on.dhcp != want {
			t.Errorf("%q: got %+v, %v, want DHCP %v", text, d, err, want)
			continue
		}
		if err := d.close(); err != nil {
			t.Error(err)
		}
	}
}

// TestReadFiles reads files before their names lead nowhere.
func TestReadFiles(t *testing.T) {
	m := libos.Manifest{Args: []libos.Arg{{Name: "key-file", Kind: libos.File}, {Name: "trust", Kind: libos.Files}}}
	args, err := m.Parse(strings.Fields("--key-file key --trust a --trust b"), nil)
	if err != nil {
		t.Fatal(err)
	}
	d := &devices{readFile: func(name string) ([]byte, error) { return []byte("in " + name), nil }}
	if err := d.readFiles(args); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"key", "a", "b"} {
		if got, err := d.readFile(name); string(got) != "in "+name || err != nil {
			t.Errorf("%s: got %q, %v", name, got, err)
		}
	}
	d.readFile = noFiles
	if err := d.readFiles(args); err == nil {
		t.Error("files that cannot be read: got no error")
	}
}

// TestTakeDisks gives disks to whom they are for.
func TestTakeDisks(t *testing.T) {
	m := libos.Manifest{Name: "sample", Disks: []libos.Disk{{Name: "data"}, {Name: "more"}}, Args: append([]libos.Arg{{Name: "key-file", Kind: libos.File}}, filesArgs...)}
	for _, c := range []struct{ ids, args, want string }{
		{"", "", "[]"},
		{"-", "", "[data:0]"},
		{"- -", "", "[data:0 more:1]"},
		{"more -", "", "[data:1 more:0]"},
		{"more data", "", "[data:1 more:0]"},
		{"- files", "", "[data:0 files:1]"},
		{"files", "", "[files:0]"},
		{"x y", "--more x", "[data:1 more:0]"},
		{"data x", "--data x --more data", "[data:1 more:0]"},
		{"- - -", "--key-file k", "[data:0 files:2 more:1]"},
		{"a b", "--files b --data a", "[data:0 files:1]"},
		{"- - -", "", "no such disk"},
	} {
		args, err := m.Parse(strings.Fields(c.args), nil)
		if err != nil {
			t.Fatal(err)
		}
		var there []metal.Disk
		for i, id := range strings.Fields(c.ids) {
			there = append(there, disk(i, strings.Trim(id, "-"), nil))
		}
		taken, err := takeDisks(m, args, there)
		var list []string
		for name, b := range taken {
			list = append(list, name+":"+strings.TrimPrefix(b.(metal.Disk).Name, "disk "))
		}
		slices.Sort(list)
		got := fmt.Sprint(list)
		if err != nil {
			got = err.Error()
		}
		if !strings.Contains(got, c.want) {
			t.Errorf("disks %q, %q: got %s, want %s", c.ids, c.args, got, c.want)
		}
	}
}

// TestHostFiles reads what arguments name from the host, and from an archive on it.
func TestHostFiles(t *testing.T) {
	dir := t.TempDir()
	for name, data := range map[string][]byte{"key": []byte("on the host"), "files.tar": pack(t, regular("etc/key", "in the archive"))} {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	m := libos.Manifest{Name: "sample", Args: []libos.Arg{{Name: "key-file", Kind: libos.File}}}
	for _, c := range []struct{ args, want string }{
		{"--key-file DIR/key", "on the host"},
		{"--key-file /etc/key --files DIR/files.tar", "in the archive"},
		{"--key-file DIR/key --files DIR/files.tar", "file does not exist"},
		{"--key-file DIR/none", "no such file or directory"},
		{"--files DIR/key", errNoArchive.Error()},
		{"--files DIR/none", "no such file or directory"},
	} {
		var out, errs bytes.Buffer
		args := strings.Fields(strings.ReplaceAll(c.args, "DIR", dir))
		status := Run(t.Context(), m, args, Terminal{Out: &out, Err: &errs}, func(_ context.Context, env libos.Env) error {
			data, err := env.ReadFile(env.Args.String("key-file"))
			out.Write(data)
			return err
		})
		if got := out.String() + errs.String(); !strings.Contains(got, c.want) || (status == 0) != (out.Len() > 0) {
			t.Errorf("%s: got status %d and %q, want %s", c.args, status, got, c.want)
		}
	}
}
