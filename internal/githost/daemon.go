package githost

import "path/filepath"

// A daemon is git daemon, which takes pushes from everybody.
type daemon struct {
	h       *Host
	path    string
	process *process
}

func newDaemon(h *Host) *daemon {
	// By its own name, so that no `git` stands between it and the signals.
	return &daemon{h: h, path: filepath.Join(execPath(h), "git-daemon")}
}

func (d *daemon) start() error {
	h := d.h
	host, port := "127.0.0.1", h.port.Number()
	var err error
	d.process, err = startProcess(filepath.Join(h.home, "daemon.log"), h.GitEnv(), d.path, "--verbose",
		"--reuseaddr", "--listen="+host, "--port="+port, "--base-path="+h.home, "--export-all",
		"--enable=receive-pack", "--max-connections=100")
	if err != nil {
		return err
	}
	return d.process.await("tcp", h.Addr)
}

func (d *daemon) stop() error {
	if d.process == nil {
		return nil
	}
	return d.process.end()
}
