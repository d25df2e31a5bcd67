package ical

import (
	"archive/zip"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the names of time zones to zones.txt")

// TestZoneNames holds the names to those of the toolchain.
func TestNamesOfZones(t *testing.T) {
	names := toolchainZones(t)
	if *update {
		if err := os.WriteFile("zones.txt", []byte(strings.Join(names, "\n")+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	have := strings.Fields(zoneNames)
	for _, name := range names {
		if !slices.Contains(have, name) {
			t.Errorf("%s is missing in zones.txt: go test -run NamesOfZones -update", name)
		}
	}
	for _, name := range have {
		if _, ok := Zone(name); !ok {
			t.Errorf("there is no zone %s", name)
		}
	}
}

// toolchainZones are the names of the toolchain's time zones.
func toolchainZones(t *testing.T) (names []string) {
	t.Helper()
	root, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		t.Fatal(err)
	}
	r, err := zip.OpenReader(filepath.Join(strings.TrimSpace(string(root)), "lib", "time", "zoneinfo.zip"))
	if err != nil {
		t.Skipf("the toolchain's time zones are not to be found: %v", err)
	}
	defer r.Close()
	for _, f := range r.File {
		if !strings.HasSuffix(f.Name, "/") {
			names = append(names, f.Name)
		}
	}
	slices.Sort(names)
	return names
}

// TestLoadZones: afterwards all are there, and nothing is looked for.
func TestLoadZones(t *testing.T) {
	defer allLoaded.Store(false)
	LoadZones()
	for _, name := range []string{"Europe/Vienna", "W. Europe Standard Time", "UTC", "/example.org/America/New_York"} {
		if _, ok := Zone(name); !ok {
			t.Errorf("there is no zone %q", name)
		}
	}
	if _, ok := Zone("Europe/Atlantis"); ok {
		t.Error("there is a zone Europe/Atlantis")
	}
}

func BenchmarkLoadZones(b *testing.B) {
	defer allLoaded.Store(false)
	b.ReportAllocs()
	for b.Loop() {
		allLoaded.Store(false)
		zones.Clear()
		LoadZones()
	}
}
