package libostest

import (
	"bufio"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A Capturer remembers what went over it. A port of a cable is one.
type Capturer interface {
	Seed() uint64
	Pcap(w io.Writer) error
}

// KeepPcap leaves a capture of what went over c behind when the test has
// failed, and logs its path and the seed. It lies in the folder that go test's
// -artifacts and -outputdir name, or else in the system's folder for temporary
// files, from which nothing removes it. Call it before the cards are attached, so that the
// cleanup comes after theirs.
func KeepPcap(t testing.TB, c Capturer) {
	t.Cleanup(func() {
		if !t.Failed() {
			return
		}
		name, err := writePcap(t, c)
		if err != nil {
			t.Logf("seed %d; no capture: %v", c.Seed(), err)
			return
		}
		t.Logf("seed %d; capture in %s", c.Seed(), name)
	})
}

func writePcap(t testing.TB, c Capturer) (name string, err error) {
	f, err := create(t)
	if err != nil {
		return "", err
	}
	w := bufio.NewWriter(f)
	err = c.Pcap(w)
	if err == nil {
		err = w.Flush()
	}
	if closing := f.Close(); err == nil {
		err = closing
	}
	return f.Name(), err
}

// create makes the file of a capture. Without -artifacts, ArtifactDir lies in a
// folder that is removed when the test ends.
func create(t testing.TB) (*os.File, error) {
	dir := t.ArtifactDir()
	if !strings.Contains(dir, "_artifacts") {
		dir = os.TempDir()
	}
	name := strings.NewReplacer("/", "-", string(filepath.Separator), "-").Replace(t.Name())
	return os.CreateTemp(dir, name+"-*.pcapng")
}
