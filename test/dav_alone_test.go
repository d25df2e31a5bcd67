package test

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"cairn/internal/githost"
)

// launchCaldav starts a caldav alone and waits until it serves.
func launchCaldav(t *testing.T, cmd *exec.Cmd, log string) *instance {
	t.Helper()
	i := &instance{log: log, cmd: cmd, done: make(chan error, 1)}
	f, err := os.Create(log)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	cmd.Stdout, cmd.Stderr = f, f
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { i.done <- cmd.Wait() }()
	t.Cleanup(func() {
		if err := i.stop(syscall.SIGTERM); err != nil && !i.killed {
			t.Errorf("caldav ended with %v\n%s", err, i.said())
		}
	})
	err = wait("caldav", func() error {
		select {
		case err := <-i.done:
			i.done <- err
			return errors.Join(errEnded, err)
		default:
		}
		if i.Dav = following(i.said(), `caldav: serving .* on (http\S+)\n`); i.Dav == "" {
			return errors.New("it does not say that it serves")
		}
		return nil
	})
	if err != nil {
		t.Fatalf("%v\n%s", err, i.said())
	}
	i.password = i.told("Password")
	return i
}

// TestDavAlone runs caldav alone on a home and on a repository elsewhere, kills it, and
// has what it kept.
func TestDavAlone(t *testing.T) {
	dir := t.TempDir()
	home := filepath.Join(dir, "home")
	caldav := func(args ...string) *exec.Cmd {
		cmd := exec.Command(filepath.Join(binDir, "caldav"), append([]string{"--listen", "127.0.0.1:0"}, args...)...)
		cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=/nonexistent"}
		return cmd
	}
	const lunch = "/calendars/owner/home/lunch.ics"
	i := launchCaldav(t, caldav("--home", home), filepath.Join(dir, "one.log"))
	owner := &person{t, i, "owner", i.password}
	owner.do(201, "PUT", lunch, event("lunch", "Lunch", "20261202T120000Z"), "Content-Type: text/calendar")
	if out, err := caldav("--home", home).CombinedOutput(); err == nil || !strings.Contains(string(out), "runs on this home") {
		t.Errorf("a second one: got %v\n%s", err, out)
	}
	// The other commands work beside it.
	if out, err := tryCairn(home, "history", "owner"); err != nil || !strings.Contains(out, "Added “Lunch”") {
		t.Errorf("history: got %v\n%s", err, out)
	}
	i.kill()
	owner.i = launchCaldav(t, caldav("--home", home), filepath.Join(dir, "two.log"))
	if a := owner.do(200, "GET", lunch, ""); !strings.Contains(a.body, "SUMMARY:Lunch") {
		t.Errorf("after it was killed: got\n%s", a.body)
	}
	git(t, filepath.Join(home, "repo.git"), "fsck", "--strict", "--full")

	h := githost.New(t, githost.Cairn)
	if out, err := caldav("--remote", h.GitURL()).CombinedOutput(); err == nil || !strings.Contains(string(out), "--seed-file") {
		t.Errorf("a remote without a seed: got %v\n%s", err, out)
	}
	seed := strings.TrimSpace(read(t, filepath.Join(home, "seed")))
	away := launchCaldav(t, caldav("--remote", h.GitURL(), "--seed", seed), filepath.Join(dir, "away.log"))
	owner = &person{t, away, "owner", away.password}
	owner.do(201, "PUT", lunch, event("lunch", "Lunch", "20261202T120000Z"), "Content-Type: text/calendar")
	away.kill()
	owner.i = launchCaldav(t, caldav("--remote", h.GitURL(), "--seed", seed), filepath.Join(dir, "again.log"))
	owner.do(200, "GET", lunch, "")
}
