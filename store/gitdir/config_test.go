package gitdir

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// configs are config files, good and bad.
var configs = []string{
	"",
	"[core]\n\trepositoryformatversion = 0\n\tfilemode = true\n\tbare = true\n",
	"[core] bare = true ; really\n[Extensions]\n  objectFormat=sha1 # it is\n",
	"\ufeff[core]\r\n\tbare = false\r\n",
	"[remote \"origin \\\"x\\\\y\"]\n\turl = https://forge.example/x.git\n\tfetch = +refs/heads/*:refs/heads/*\n",
	"[a.B \"C.d\"]\nx=1\n[A.b]\ny = 2\n",
	"[a]\nbare\nempty =\nquoted = \"  # a ; b  \"  \nmixed = a \" b \" c  d # e\n",
	"[a]\nescaped = a\\tb\\nc\\\"d\\\\e\\b\nlong = one \\\n  two \\\n\n",
	"[a]\nx-1 = 1\n# c\n; d\n\n \t\n[a] y = 2",
	"[a]\nx = 1\nx = 2\n[b]\n[a]\nx = 3",
	"[a]\nx = tür \u2014 y\n",
	"x = 1\n[a]\n",
	"[a\nx = 1\n", "[a b]\n", "[]\n", "[a \"b]\n", "[a \"b\" ]\n", "[a ]\n", "a]\n",
	"[a]\nx = \"b\n", "[a]\nx = \\q\n", "[a]\nx = b\\", "[a]\nx y\n", "[a]\n1x = 2\n", "[a]\nx # c\n", "[a]\nx_y = 1\n",
	"[a]\n\x00\n", "\xff\xfe\n",
}

// TestConfig reads what git reads, and refuses what it refuses.
func TestConfig(t *testing.T) {
	name := filepath.Join(t.TempDir(), "config")
	for _, text := range configs {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command("git", "config", "--no-includes", "--file", name, "--list", "--null")
		cmd.Env = append(os.Environ(), "GIT_CONFIG_NOSYSTEM=1", "HOME="+t.TempDir(), "LC_ALL=C")
		out, gitErr := cmd.Output()
		c, err := readConfig(strings.NewReader(text))
		if (err == nil) != (gitErr == nil) {
			if !strings.HasPrefix(text, "x = 1") { // a setting of no section, which git only lists
				t.Errorf("%q: got %v, git says %v", text, err, gitErr)
			}
			continue
		}
		var got strings.Builder
		for _, s := range c {
			key := s.section + "." + s.key
			if s.value == "true" && !strings.Contains(string(out), key+"\n") {
				got.WriteString(key + "\x00") // a name alone
				continue
			}
			got.WriteString(key + "\n" + s.value + "\x00")
		}
		if err == nil && got.String() != string(out) {
			t.Errorf("%q: got %q, git says %q", text, got.String(), out)
		}
	}
}

func TestConfigBounds(t *testing.T) {
	if _, err := readConfig(strings.NewReader("[a]\n" + strings.Repeat("x = 1\n", maxConfig/6+1))); err == nil {
		t.Error("a config of more than a megabyte is read")
	}
}

func FuzzConfig(f *testing.F) {
	for _, text := range configs {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		c, err := readConfig(strings.NewReader(text))
		if err != nil {
			return
		}
		for _, s := range c {
			if s.section == "" || s.key == "" || s.key != strings.ToLower(s.key) {
				t.Errorf("%q: got %+v", text, s)
			}
		}
	})
}
