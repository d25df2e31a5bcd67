package githost

import (
	"os"
	"path/filepath"
)

// An sshd is OpenSSH's server with stock git behind it, with a configuration
// and keys of its own.
type sshd struct {
	h       *Host
	path    string
	process *process
}

func newSSHD(h *Host) *sshd {
	return &sshd{h: h, path: Need(h.t, "sshd", "openssh-server")}
}

func (s *sshd) start() error {
	h := s.h
	if os.Getuid() == 0 {
		// Where it puts aside its rights; the service's start would make it.
		if err := os.MkdirAll("/run/sshd", 0o755); err != nil {
			return err
		}
	}
	config := h.write("sshd_config", []byte(lines(
		"ListenAddress "+h.Addr,
		"HostKey "+h.write("host_key", h.keys.host.pem),
		"AuthorizedKeysFile "+h.write("authorized_keys", []byte(h.keys.client.line())),
		"StrictModes no", // the folder for temporary files is everybody's
		"UsePAM no",
		"AuthenticationMethods publickey",
		"PermitRootLogin prohibit-password",
		"PidFile none",
		"UseDNS no",
		"PrintMotd no",
		"MaxStartups 100",
		"MaxSessions 100",
		"AcceptEnv GIT_PROTOCOL",
		// Another home, too: in the user's own there may be a .bashrc, which bash
		// reads when sshd starts it.
		"SetEnv GIT_CONFIG_NOSYSTEM=1 HOME="+h.home,
	)))
	var err error
	// -D: in the foreground, -e: says what it has to say to standard error.
	s.process, err = startProcess(filepath.Join(h.home, "sshd.log"), []string{"PATH=" + os.Getenv("PATH")}, s.path, "-D", "-e", "-f", config)
	if err != nil {
		return err
	}
	return s.process.await("tcp", h.Addr)
}

func (s *sshd) stop() error {
	if s.process == nil {
		return nil
	}
	return s.process.end()
}
