package image

import (
	"reflect"
	"strings"
	"testing"

	"cairn/libos"
)

func TestWords(t *testing.T) {
	m := libos.Manifest{Args: []libos.Arg{{Name: "on", Kind: libos.Bool}, {Name: "name"}, {Name: "more", Kind: libos.Repeated}}}
	got := words(m, []string{"--on", "-name", "a b", "--more=x=y", "--more", "--on", "--on=false"})
	want := []word{{"on", "true"}, {"name", "a b"}, {"more", "x=y"}, {"more", "--on"}, {"on", "false"}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestKernelLine(t *testing.T) {
	got, err := kernelLine([]string{"up"}, []word{{"on", "true"}, {"name", "a b"}, {"none", ""}})
	if want := `up --on=true "--name=a b" --none=`; err != nil || got != want {
		t.Errorf("got %q, %v, want %q", got, err, want)
	}
	for _, value := range []string{`say "a"`, "two\nlines", "a\tb", strings.Repeat("x", maxCommandLine)} {
		if got, err := kernelLine(nil, []word{{"name", value}}); err == nil {
			t.Errorf("%.20q: got %.20q, want an error", value, got)
		}
	}
}

// TestShell lets a shell read what was quoted.
func TestShell(t *testing.T) {
	command := []string{"printf", "%s\n", "plain", "two words", "it's", `"quoted"`, "$HOME", "`id`", "a\\b", "", "*", "tür"}
	got := ask(t, "sh", "-c", shell(command))
	if want := strings.Join(command[2:], "\n") + "\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
