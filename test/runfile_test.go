package test

import (
	"net/http"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// TestMetricsAddress asks for metrics where run.json says they are.
func TestMetricsAddress(t *testing.T) {
	dir := t.TempDir()
	i, err := start(filepath.Join(dir, "home"), filepath.Join(dir, "log"), os.Environ(), "-metrics", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = i.stop(syscall.SIGKILL) })
	r, err := http.Get(i.Metrics)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	if r.StatusCode != http.StatusOK {
		t.Errorf("%s: got %s", i.Metrics, r.Status)
	}
}
