package libostest_test

import (
	"fmt"
	"io"
	"os"
	"strings"
	"testing"

	"cairn/libos/libostest"
)

// wire is a Capturer.
type wire struct{}

func (wire) Seed() uint64 { return 7 }

func (wire) Pcap(w io.Writer) error {
	_, err := io.WriteString(w, "frames")
	return err
}

// outcome is a test that ends as told.
type outcome struct {
	testing.TB
	failed  bool
	cleanup func()
	log     string
}

func (o *outcome) Cleanup(f func())        { o.cleanup = f }
func (o *outcome) Failed() bool            { return o.failed }
func (o *outcome) Name() string            { return "TestX/with a/slash" }
func (o *outcome) Logf(f string, a ...any) { o.log += fmt.Sprintf(f, a...) }

func TestKeepPcap(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	good := &outcome{TB: t}
	libostest.KeepPcap(good, wire{})
	good.cleanup()
	if good.log != "" {
		t.Errorf("a test that passed says %q", good.log)
	}

	bad := &outcome{TB: t, failed: true}
	libostest.KeepPcap(bad, wire{})
	bad.cleanup()
	name, ok := strings.CutPrefix(bad.log, "seed 7; capture in ")
	if !ok {
		t.Fatalf("a test that failed says %q", bad.log)
	}
	if got, err := os.ReadFile(name); err != nil || string(got) != "frames" {
		t.Errorf("the capture holds %q, %v", got, err)
	}
}
