package main

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

func TestMain(m *testing.M) {
	if served, err := child(); served {
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// TestRun runs all that needs nothing but git and Go, on next to nothing.
func TestRun(t *testing.T) {
	for _, name := range []string{"store", "wire", "site"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var out, log strings.Builder
			err := run(t.Context(), []string{"-run", name, "-n", "300", "-rounds", "1", "-work", "5", "-dir", t.TempDir()}, &out, &log)
			if err != nil {
				t.Fatalf("%v\n%s", err, log.String())
			}
			t.Log(out.String())
			if lines := strings.Count(out.String(), "\n|"); lines < 4 {
				t.Errorf("got %d lines of a table, want at least 4", lines)
			}
		})
	}
}

func TestUnknownPart(t *testing.T) {
	var out, log strings.Builder
	for _, args := range [][]string{{"-run", "nothing"}, {"-n", "many"}, {"-n", "0"}} {
		if err := run(t.Context(), args, &out, &log); err == nil {
			t.Errorf("%q: got no error", args)
		}
	}
}
