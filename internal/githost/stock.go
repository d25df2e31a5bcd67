package githost

import (
	"bytes"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strings"
	"time"

	"cairn/store/gitdir"
)

// initStock makes the repository as stock git does.
func (h *Host) initStock() {
	h.t.Helper()
	h.run("", "init", "-q", "--bare", "-b", "main", h.Dir)
	h.Git("config", "http.receivepack", "true")
	h.Git("config", "receive.advertisePushOptions", "true")
	h.Git("config", "uploadpack.allowFilter", "true")
	h.Git("config", "uploadpack.allowAnySHA1InWant", "true")
	// Housekeeping would go on behind a test's back.
	h.Git("config", "gc.auto", "0")
	h.Git("config", "receive.autogc", "false")
}

// Git runs git in the repository and returns what it prints, without the space
// around it. What it does to refs the host has seen when it returns.
func (h *Host) Git(args ...string) string {
	h.t.Helper()
	out := h.run(h.Dir, args...)
	if args[0] == "update-ref" && !h.Kind.Stock() {
		time.Sleep(gitdir.SeenAfter)
	}
	return out
}

func (h *Host) run(dir string, args ...string) string {
	h.t.Helper()
	cmd := exec.Command("git", args...)
	cmd.Dir, cmd.Env = dir, h.GitEnv()
	var complaint bytes.Buffer
	cmd.Stderr = &complaint
	out, err := cmd.Output()
	if err != nil {
		h.t.Fatalf("git %s: %v\n%s", strings.Join(args, " "), err, complaint.Bytes())
	}
	return strings.TrimSpace(string(out))
}

// Config sets a key of the repository's configuration, which our own servers
// do not heed.
func (h *Host) Config(key, value string) {
	h.t.Helper()
	h.Git("config", key, value)
}

// GitEnv is an environment in which git knows nothing of this machine's users
// and what a client of this host must: its certificates and SSH keys.
func (h *Host) GitEnv() []string {
	env := []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + h.home,
		"GIT_CONFIG_NOSYSTEM=1", "GIT_TERMINAL_PROMPT=0", "GIT_ASKPASS=true", "LC_ALL=C",
		"GIT_AUTHOR_NAME=A U Thor", "GIT_AUTHOR_EMAIL=author@localhost",
		"GIT_COMMITTER_NAME=C O Mitter", "GIT_COMMITTER_EMAIL=committer@localhost",
	}
	switch h.Kind {
	case HTTPBackend, ClientCert:
		env = append(env, "GIT_SSL_CAINFO="+h.write("ca.pem", h.keys.caPEM))
		if h.Kind == ClientCert {
			env = append(env,
				"GIT_SSL_CERT="+h.write("client.pem", h.keys.clientPEM),
				"GIT_SSL_KEY="+h.write("client.key", h.keys.privPEM))
		}
	case CairnSSH, SSHD:
		known := "[127.0.0.1]:" + h.port.Number() + " " + h.keys.host.line()
		env = append(env, "GIT_SSH_COMMAND=ssh -F none -o BatchMode=yes -o IdentitiesOnly=yes -o StrictHostKeyChecking=yes"+
			" -i "+h.write("client_key", h.keys.client.pem)+
			" -o UserKnownHostsFile="+h.write("known_hosts", []byte(known)))
	}
	return env
}

// write puts a file that only we may read into the host's folder.
func (h *Host) write(name string, content []byte) string {
	h.t.Helper()
	path := filepath.Join(h.home, name)
	if old, err := os.ReadFile(path); err == nil && bytes.Equal(old, content) {
		return path // somebody may be reading it
	}
	if err := os.WriteFile(path, content, 0o600); err != nil {
		h.t.Fatal(err)
	}
	return path
}

// sshUser is under what name the host is logged in to: sshd knows the accounts
// of the machine.
func sshUser(kind Kind) string {
	if kind != SSHD {
		return User
	}
	u, err := user.Current()
	if err != nil {
		return "root"
	}
	return u.Username
}
