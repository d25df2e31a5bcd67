package test

import (
	"bytes"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// imageProgram is what is made an image of: the smallest there is, and in a long
// campaign a service.
func imageProgram() string {
	if os.Getenv("CAIRN_LONG") != "" {
		return "unipi"
	}
	return "./deploy/image/testdata/tiny"
}

// TestImageReproducible builds the same revision twice: in folders, with a home, a time zone, settings of Go, a umask and times
// of files that differ, in a long campaign with nothing compiled before. It is the same file. Then
// it changes the source.
func TestImageReproducible(t *testing.T) {
	if testing.Short() {
		t.Skip("it compiles programs")
	}
	origin := commitTree(t)
	here := cloneTree(t, origin, "a")
	there := cloneTree(t, origin, "deeper/inside/b")
	makeOld(t, there)

	out := t.TempDir()
	one, two := filepath.Join(out, "one.img"), filepath.Join(out, "two.img")
	said := imageCommand(t, here, true, nil, "build", imageProgram(), "-o", one)
	if strings.Contains(said, "cairn:") {
		t.Errorf("a clean checkout: got %s", said)
	}
	runTool(t, there, "git", "tag", "v0.7.8")
	imageCommand(t, there, true, otherSettings(t), "build", imageProgram(), "-o", two)
	if !bytes.Equal(contents(t, one), contents(t, two)) {
		t.Errorf("two builds of one revision differ: %s", imageCommand(t, here, false, nil, "verify", two))
	}
	if stat, err := os.Stat(two); err != nil || stat.Mode() != 0o755 {
		t.Errorf("got %v, %v, want mode 755 whatever the umask", stat, err)
	}
	imageCommand(t, here, true, nil, "verify", two)

	// A change that is not committed, and one that is.
	main := filepath.Join(here, "libos", "manifest.go")
	if err := os.WriteFile(main, append(contents(t, main), "\nconst changed = true\n"...), 0o644); err != nil {
		t.Fatal(err)
	}
	for want, args := range map[string][]string{
		"First difference: setting vcs.modified: the image has false, the source makes true": {"verify", one},
		"nobody else can rebuild this image":                                                 {"build", imageProgram(), "-o", filepath.Join(out, "three.img")},
	} {
		if said := imageCommand(t, here, args[0] == "build", nil, args...); !strings.Contains(said, want) {
			t.Errorf("got %s, want %q", said, want)
		}
	}
	commitAll(t, here)
	if said := imageCommand(t, here, false, nil, "verify", one); !strings.Contains(said, "First difference: revision of the source") {
		t.Errorf("got %s, want another revision", said)
	}
}

// imageCommand runs `cairn image` in a folder and returns what it says. good is how it is to
// end.
func imageCommand(t *testing.T, dir string, good bool, env []string, args ...string) string {
	t.Helper()
	command := append([]string{filepath.Join(binDir, "cairn"), "image"}, args...)
	cmd := exec.Command("sh", append([]string{"-c", `umask "${UMASK:-022}"; exec "$@"`, "sh"}, command...)...)
	cmd.Dir, cmd.Env = dir, append(gitEnviron(), "GOPROXY=off")
	cmd.Env = append(cmd.Env, env...)
	said, err := cmd.CombinedOutput()
	if good != (err == nil) {
		t.Fatalf("cairn image %s: %v\n%s", strings.Join(args, " "), err, said)
	}
	return string(said)
}

// gitEnviron is our environment, with a git that sees no other configuration.
func gitEnviron() []string {
	return append(os.Environ(), "GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=/dev/null", "GIT_TERMINAL_PROMPT=0",
		"GIT_AUTHOR_NAME=A U Thor", "GIT_AUTHOR_EMAIL=author@example.org",
		"GIT_COMMITTER_NAME=C O Mitter", "GIT_COMMITTER_EMAIL=committer@example.org")
}

// otherSettings are those of another builder.
func otherSettings(t *testing.T) []string {
	t.Helper()
	home := t.TempDir()
	settings := filepath.Join(home, "goenv")
	if err := os.WriteFile(settings, []byte("GOAMD64=v3\nGOEXPERIMENT=nogreenteagc\nGOFLAGS=-tags=other\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	env := []string{"HOME=" + home, "TZ=Asia/Tokyo", "LC_ALL=C", "USER=bob", "UMASK=077", "GOFLAGS=-buildvcs=false -ldflags=-X=main.x=y", "GOENV=" + settings, "CGO_ENABLED=1"}
	for _, name := range []string{"GOMODCACHE", "GOCACHE"} {
		value := strings.TrimSpace(runTool(t, ".", "go", "env", name))
		if name == "GOCACHE" && os.Getenv("CAIRN_LONG") != "" {
			value = t.TempDir()
		}
		env = append(env, name+"="+value)
	}
	return env
}

// commitTree makes a repository of the source tree as it is.
func commitTree(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "origin")
	err := filepath.WalkDir("..", func(name string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() && d.Name() == ".git" {
			return fs.SkipDir
		}
		if err != nil {
			return err
		}
		to := filepath.Join(dir, strings.TrimPrefix(name, ".."))
		if d.IsDir() {
			return os.MkdirAll(to, 0o755)
		}
		if !d.Type().IsRegular() {
			return nil
		}
		data, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		return os.WriteFile(to, data, 0o644)
	})
	if err != nil {
		t.Fatal(err)
	}
	runTool(t, dir, "git", "init", "-q")
	commitAll(t, dir)
	return dir
}

func commitAll(t *testing.T, dir string) {
	t.Helper()
	runTool(t, dir, "git", "add", "-A")
	runTool(t, dir, "git", "commit", "-q", "-m", "the source")
}

func cloneTree(t *testing.T, origin, name string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), name)
	runTool(t, ".", "git", "clone", "-q", origin, dir)
	return dir
}

// makeOld gives all files of a tree the times of another year.
func makeOld(t *testing.T, dir string) {
	t.Helper()
	then := time.Date(2001, 9, 9, 1, 46, 40, 0, time.UTC)
	err := filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		return os.Chtimes(name, then, then)
	})
	if err != nil {
		t.Fatal(err)
	}
}

// runTool runs a command that has to succeed, and returns what it prints.
func runTool(t *testing.T, dir, name string, args ...string) string {
	t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Dir, cmd.Env = dir, gitEnviron()
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %v\n%s", cmd, err, out)
	}
	return string(out)
}

func contents(t *testing.T, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return data
}
