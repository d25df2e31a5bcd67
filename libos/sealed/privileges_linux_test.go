//go:build amd64

package sealed_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"cairn/libos"
	"cairn/libos/sealed"
)

// asRoot skips where there are no privileges to drop.
func asRoot(t *testing.T) {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("privileges are dropped by root")
	}
}

func init() {
	roles["waits as"] = func(args []string) error {
		user, err := strconv.ParseUint(args[0], 10, 32)
		if err != nil {
			return err
		}
		a := sealed.Attached{Consoles: outputs, User: uint32(user)}
		if len(args) > 1 {
			a.Host = &libos.Limits{Listen: args[1:]}
		}
		return waitSealedWith(a, sleep)
	}
}

// TestPrivileges looks at every thread of a process from outside.
func TestPrivileges(t *testing.T) {
	asRoot(t)
	const nothing = "0000000000000000"
	for _, c := range []struct {
		args       []string
		user, caps string
	}{
		{[]string{"0"}, "65534", nothing},
		{[]string{"4242"}, "4242", nothing},
		{[]string{"0", "tcp:8080", "udp:*"}, "65534", nothing},
		{[]string{"0", "tcp:443"}, "65534", "0000000000000400"}, // CAP_NET_BIND_SERVICE
	} {
		cmd := process(t, "waits as", c.args...)
		rest := start(t, cmd)
		want := map[string]string{
			"Uid":             strings.TrimSpace(strings.Repeat(c.user+"\t", 4)),
			"Gid":             strings.TrimSpace(strings.Repeat(c.user+"\t", 4)),
			"Groups":          "",
			"CapInh":          nothing,
			"CapPrm":          c.caps,
			"CapEff":          c.caps,
			"CapBnd":          c.caps,
			"CapAmb":          nothing,
			"NoNewPrivs":      "1",
			"Seccomp":         "2",
			"Seccomp_filters": "1",
		}
		threads, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/status", cmd.Process.Pid))
		if err != nil || len(threads) < 2 {
			t.Fatalf("%d threads, %v", len(threads), err)
		}
		for _, name := range threads {
			got := status(t, name)
			for field, value := range want {
				if got[field] != value {
					t.Errorf("%v: %s: %s is %q, want %q", c.args, name, field, got[field], value)
				}
			}
		}
		if _, err := os.Readlink(fmt.Sprintf("/proc/%d/fd/0", cmd.Process.Pid)); err != nil {
			t.Errorf("root cannot look at it: %v", err)
		}
		if st, err := os.Stat(fmt.Sprintf("/proc/%d/mem", cmd.Process.Pid)); err != nil || st.Sys().(*syscall.Stat_t).Uid != 0 {
			t.Errorf("others of its user may look at its memory (%v)", err)
		}
		_ = cmd.Process.Kill()
		rest()
	}
}

// status reads a file such as /proc/PID/status.
func status(t *testing.T, name string) map[string]string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	fields := map[string]string{}
	for line := range strings.Lines(string(text)) {
		field, value, _ := strings.Cut(line, ":")
		fields[field] = strings.TrimSpace(value)
	}
	return fields
}

func init() {
	roles["waits in a folder"] = func(args []string) error {
		return waitSealedWith(sealed.Attached{Consoles: outputs, Folder: args[0]}, sleep)
	}
	roles["has descriptors"] = func(args []string) error {
		a := sealed.Attached{Consoles: outputs}
		switch args[0] {
		case "inherited":
			if _, err := unix.FcntlInt(3, unix.F_GETFD, 0); err != nil {
				return err
			}
		case "opened":
			f, err := os.Open(os.DevNull)
			if err != nil {
				return err
			}
			defer f.Close()
		case "missing":
			a.Links = []sealed.Descriptor{{Name: "tap0", FD: 99}}
		}
		return waitSealedWith(a, func() {})
	}
	roles["seals as another"] = func([]string) error {
		if err := syscall.Setuid(4242); err != nil {
			return err
		}
		return sealed.Seal(sealed.Attached{Consoles: outputs, User: 4243})
	}
}

// TestDescriptors: what is not attached is not open afterwards, or an error.
func TestDescriptors(t *testing.T) {
	cmd := process(t, "has descriptors", "inherited")
	null, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	cmd.ExtraFiles = []*os.File{null}
	succeeds(t, cmd)
	for what, want := range map[string]string{
		"opened":  "(/dev/null) is open and not attached\n",
		"missing": "descriptor 99 is attached and not open\n",
	} {
		_, errs, status := ended(t, process(t, "has descriptors", what))
		if status.ExitStatus() != 1 || !strings.HasSuffix(errs, want) {
			t.Errorf("%s: %s, got %q, want %q", what, state(status), errs, want)
		}
	}
}

// TestInherited: what was inherited is closed, wherever it leads.
func TestInherited(t *testing.T) {
	asRoot(t) // to look into the process
	names := []string{os.DevNull}
	for _, pattern := range []string{"/sys/fs/cgroup/cgroup.procs", "/sys/fs/cgroup/*/cgroup.procs"} {
		found, _ := filepath.Glob(pattern)
		names = append(names, found...)
	}
	cmd := process(t, "waits")
	for _, name := range names[:min(2, len(names))] {
		f, err := os.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		cmd.ExtraFiles = append(cmd.ExtraFiles, f)
	}
	rest := start(t, cmd)
	links, err := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", cmd.Process.Pid))
	if err != nil || len(links) < 3 {
		t.Fatalf("the process has descriptors %v, %v", links, err)
	}
	for _, link := range links {
		what, _ := os.Readlink(link)
		for _, f := range cmd.ExtraFiles {
			if number := filepath.Base(link); what == f.Name() && number != "0" && number != "1" && number != "2" {
				t.Errorf("%s is open still: %s", what, link)
			}
		}
	}
	_ = cmd.Process.Kill()
	rest()
}

// TestAsUser seals a process that had no privileges before.
func TestAsUser(t *testing.T) {
	asRoot(t)
	const user = 4242
	dir := t.TempDir()
	openUp(t, dir)
	folder := filepath.Join(dir, "state")
	if err := os.Mkdir(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	giveTo(t, folder, user)
	cmd := process(t, "waits in a folder", folder)
	cmd.Dir = "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: user, Gid: user}}
	rest := start(t, cmd)
	got := status(t, fmt.Sprintf("/proc/%d/status", cmd.Process.Pid))
	for field, want := range map[string]string{"Uid": "4242\t4242\t4242\t4242", "NoNewPrivs": "1", "Seccomp": "2", "CapPrm": "0000000000000000"} {
		if got[field] != want {
			t.Errorf("%s is %q, want %q", field, got[field], want)
		}
	}
	_ = cmd.Process.Kill()
	rest()
}

func TestOtherUser(t *testing.T) {
	asRoot(t)
	_, errs, status := ended(t, process(t, "seals as another"))
	if want := "only root can become user 4243\n"; status.ExitStatus() != 1 || errs != want {
		t.Errorf("%s, got %q, want %q", state(status), errs, want)
	}
}
