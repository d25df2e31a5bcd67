package image

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"cairn/libos"
)

var update = flag.Bool("update", false, "write testdata/*.txtar anew")

// shop is a manifest with one of everything.
var shop = libos.Manifest{
	Name:  "shop up",
	About: "Sells stones: big ones and small ones. To 100% of people.",
	Ports: []libos.Port{
		{Name: "http", Host: "127.0.0.1:8080", Own: ":80", Help: "Where it sells."},
		{Name: "https", Own: ":443", Help: "Where it sells over TLS."},
		{Name: "metrics", Help: "Where it counts."},
		{Name: "clock", Network: "udp", Host: "127.0.0.1:1230", Own: ":123", Help: "Where it tells the time."},
	},
	Peers: []libos.Peer{{Arg: "bank", Why: "it takes the money"}},
	State: &libos.Folder{Name: "home", Help: "Where it keeps things."},
	Disks: []libos.Disk{{Name: "stock", Help: "What there is.", ReadOnly: true}, {Name: "till", Help: "What came in."}},
	Args: []libos.Arg{
		{Name: "bank", Help: "Who takes the money."},
		{Name: "key", Kind: libos.File, Help: "What opens the till."},
		{Name: "trust", Kind: libos.Files, Help: "Who else may open it."},
		{Name: "name", Help: "What it is called."},
		{Name: "open", Kind: libos.Bool, Help: "Whether it is."},
		{Name: "net", Help: "As every service has it."},
		{Name: "mac", Help: "As every service has it."},
		{Name: "files", Help: "As every service has it."},
		{Name: "seal", Kind: libos.Bool, Help: "As every service has it."},
	},
}

// golden holds text against a file of an archive in testdata.
func golden(t *testing.T, archive, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", archive)
	a := &txtar.Archive{}
	if data, err := os.ReadFile(path); err == nil {
		a = txtar.Parse(data)
	}
	at := -1
	for i, f := range a.Files {
		if f.Name == name {
			at = i
		}
	}
	if *update {
		if at < 0 {
			a.Files = append(a.Files, txtar.File{Name: name})
			at = len(a.Files) - 1
		}
		a.Files[at].Data = []byte(got)
		if err := os.WriteFile(path, txtar.Format(a), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if at < 0 || string(a.Files[at].Data) != got {
		t.Errorf("%s: %s: got\n%s\nwhich is not what is there: if it should be, go test -update", path, name, got)
	}
}

func TestPlan(t *testing.T) {
	bank := []string{"--bank", "bank.example:443"}
	for _, c := range []struct {
		name  string
		start Start
	}{
		{"unix", Start{World: Unix, Args: append([]string{"--home", "/srv/shop", "--name", "big & small", "--key", "key"}, bank...)}},
		{"sealed", Start{World: Sealed, TAP: "tap0", Args: bank}},
		{"qemu", Start{World: QEMU, Args: bank}},
		{"qemu with everything", Start{World: QEMU, MiB: 64, PCI: true, KVM: true, TAP: "tap7", Args: append([]string{
			"--key", "/etc/shop/key", "--trust", "./a.pub", "--trust=b/../b.pub", "--key=/etc/shop/key", "--name", "big stones", "--open",
			"--stock", "stock,1.img", "--till", "/dev/vg/till", "--mac", "02:00:00:00:00:07", "--https", ":8443"}, bank...)}},
		{"qemu with ports", Start{World: QEMU, Forward: []string{"127.0.0.1:9000=80", "[::1]:9001=443"}, Args: bank}},
		{"qemu with other ports", Start{World: QEMU, Args: append([]string{"--http", ":8000", "--metrics", ":9100"}, bank...)}},
		{"qemu with a disk of files", Start{World: QEMU, Args: append([]string{"--files", "all.tar"}, bank...)}},
		{"firecracker", Start{World: Firecracker, Args: append([]string{"--key", "key", "--till", "till.img", "--stock", "stock.img", "--name", "big stones"}, bank...)}},
		{"cloud-hypervisor", Start{World: CloudHypervisor, TAP: "tap7", MiB: 64, Args: append([]string{"--key", "key", "--till", "till.img", "--stock", "stock.img"}, bank...)}},
	} {
		c.start.File, c.start.Manifest = "/srv/shop.img", shop
		p, err := c.start.Plan()
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		var b bytes.Buffer
		if err := p.Print(&b); err != nil {
			t.Fatal(err)
		}
		golden(t, "plans.txtar", c.name, b.String())
	}
}

func TestPlanRefuses(t *testing.T) {
	for _, c := range []struct {
		start Start
		want  string
	}{
		{Start{World: Unix, Args: []string{"--namee", "x"}}, "is --name meant?"},
		{Start{World: "xen"}, "there is no world"},
		{Start{World: QEMU, Args: []string{"--net", "tap0"}}, "--net goes with a process"},
		{Start{World: QEMU, Args: []string{"--seal"}}, "--seal goes with a process"},
		{Start{World: QEMU, Args: []string{"--home", "/srv"}}, "--home names a folder, which a virtual machine has none of"},
		{Start{World: QEMU, Args: []string{"--files", "x.tar", "--key", "key"}}, "give one of the two"},
		{Start{World: QEMU, Args: []string{"--name", `"`}}, "cannot hold quotes"},
		{Start{World: QEMU, Forward: []string{"8080"}}, "--forward is HOST:PORT=PORT"},
		{Start{World: QEMU, Forward: []string{"127.0.0.1:8080=http"}}, "--forward is HOST:PORT=PORT"},
		{Start{World: QEMU, MiB: 4}, "no memory where a program belongs"},
		{Start{World: CloudHypervisor, Args: []string{"--till", "a,b"}}, "takes no commas"},
	} {
		c.start.Manifest = shop
		if p, err := c.start.Plan(); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v: got %v, %v, want an error that says %q", c.start.Args, p, err, c.want)
		}
	}
}

// TestAlone starts a service without a network: it gets no card, which it would refuse.
func TestAlone(t *testing.T) {
	for _, world := range []World{QEMU, Firecracker, CloudHypervisor} {
		p, err := Start{World: world, Manifest: libos.Manifest{Name: "alone"}}.Plan()
		if err != nil {
			t.Fatal(err)
		}
		var b bytes.Buffer
		if err := p.Print(&b); err != nil {
			t.Fatal(err)
		}
		if strings.Contains(b.String(), "net0") || strings.Contains(b.String(), "tap=") {
			t.Errorf("%s: got a network card: %s", world, b.String())
		}
	}
}
