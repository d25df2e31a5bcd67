package image

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestUnit(t *testing.T) {
	for _, c := range []struct {
		name  string
		start Start
	}{
		{"tap.service", Start{File: "/usr/local/lib/shop.img", TAP: "tap0", Args: []string{"--home", "/srv/shop", "--key", "/etc/shop/key",
			"--trust", "/etc/shop/a b.pub", "--trust", "/etc/shop/50%.pub", "--name", "$big \"stones\" 100%", "--till", "/dev/vg/till", "--stock", "/srv/stock.img"}}},
		{"host.service", Start{File: "/home/alice/shop.img", Args: []string{"--http", ":80", "--bank", "bank.example:443"}}},
	} {
		c.start.Manifest = shop
		unit, err := c.start.Unit()
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		golden(t, "units.txtar", c.name, unit)
	}
	for _, s := range []Start{{File: "shop.img"}, {File: "/shop.img", Args: []string{"--none"}}} {
		s.Manifest = shop
		if unit, err := s.Unit(); err == nil {
			t.Errorf("%+v: got %q, want an error", s.Args, unit)
		}
	}
}

// TestUnitVerified lets systemd judge units.
func TestUnitVerified(t *testing.T) {
	file := tinyFile(t)
	for _, s := range []Start{
		{TAP: "tap0", Args: []string{"--key", "/etc/hostname", "--status", "5%", "--home", "/srv"}},
		{Args: []string{"--status", "$5 \"or\" 6"}},
	} {
		s.File, s.Manifest = file, inspectTiny(t).Manifest
		unit, err := s.Unit()
		if err != nil {
			t.Fatal(err)
		}
		name := filepath.Join(t.TempDir(), "tiny.service")
		if err := os.WriteFile(name, []byte(unit), 0o644); err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(ask(t, "systemd-analyze", "verify", "--man=no", name)) {
			if strings.Contains(line, "tiny.service") { // the machine's own units are another matter
				t.Errorf("systemd-analyze verify says: %s%s", line, unit)
			}
		}
		out := ask(t, "systemd-analyze", "security", "--offline=true", "--threshold=30", name)
		if !strings.Contains(out, "Overall exposure level") {
			t.Errorf("systemd-analyze security says: %s", out)
		}
	}
}
