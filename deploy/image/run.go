package image

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Print writes what a person needs to do the same elsewhere, as comments and
// commands of a shell.
func (p *Plan) Print(w io.Writer) error {
	var b strings.Builder
	for _, note := range p.Notes {
		fmt.Fprintf(&b, "# %s\n", printable(note))
	}
	if p.disk != "" {
		command := []string{"tar", "--format=ustar", "-chf", p.disk, "--"}
		for _, f := range p.files {
			command = append(command, f.host)
		}
		fmt.Fprintf(&b, "# The files that arguments name are on a disk of their own:\n(umask 077; %s)\n", shell(command))
	}
	if p.ConfigName != "" {
		fmt.Fprintf(&b, "cat >%s <<'END'\n%sEND\n", p.ConfigName, p.Config)
	}
	fmt.Fprintln(&b, shell(p.Command))
	_, err := io.WriteString(w, b.String())
	return err
}

// Installed reports whether the program is here that the plan starts.
func (p *Plan) Installed() bool {
	_, err := exec.LookPath(p.Command[0])
	return err == nil
}

// Run does what the plan says and returns the service's exit status. When ctx ends, a process is
// told by SIGTERM and a machine is switched off, which loses nothing that was acknowledged.
func (p *Plan) Run(ctx context.Context, in io.Reader, out, errs io.Writer) (status int, err error) {
	dir, err := os.MkdirTemp("", "cairn-run-")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(dir)
	command, err := p.prepare(dir)
	if err != nil {
		return 0, err
	}
	ctx, off := context.WithCancel(ctx)
	defer off()
	cmd := exec.CommandContext(ctx, command[0], command[1:]...)
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = time.Minute
	last := &lastWords{off: off}
	cmd.Stdin, cmd.Stdout, cmd.Stderr = in, out, errs
	if p.vm {
		cmd.Stdout = io.MultiWriter(out, last)
	}
	err = cmd.Run()
	exit, failed := errors.AsType[*exec.ExitError](err)
	if said, ok := last.status(); ok {
		return said, nil
	}
	switch {
	case ctx.Err() != nil && (err == nil || failed || errors.Is(err, ctx.Err())):
		return 0, nil
	case err != nil && !failed:
		return 0, fmt.Errorf("start %s: %w", command[0], err)
	case p.vm:
		return 0, fmt.Errorf("%s ended without a word from the machine (%v): what is above is all it said", command[0], cmd.ProcessState)
	case failed && exit.ExitCode() < 0:
		return 0, fmt.Errorf("%s: %w", command[0], err)
	}
	return cmd.ProcessState.ExitCode(), nil
}

// prepare makes the files that the command names in dir, for nobody else to read, and
// returns the command that names them there.
func (p *Plan) prepare(dir string) ([]string, error) {
	command, config := slices.Clone(p.Command), p.Config
	if p.disk != "" {
		path := dir + "/" + p.disk
		if err := p.writeDisk(path); err != nil {
			return nil, fmt.Errorf("put the files that arguments name on a disk: %w", err)
		}
		config = bytes.ReplaceAll(config, []byte(strconv.Quote(p.disk)), []byte(strconv.Quote(path)))
		if p.diskAt > 0 {
			command[p.diskAt] = strings.Replace(command[p.diskAt], "="+p.disk, "="+path, 1)
		}
	}
	if p.ConfigName != "" {
		path := dir + "/" + p.ConfigName
		if err := os.WriteFile(path, config, 0o600); err != nil {
			return nil, err
		}
		for i, w := range command {
			if w == p.ConfigName {
				command[i] = path
			}
		}
	}
	return command, nil
}

func (p *Plan) writeDisk(path string) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	return errors.Join(writeFiles(f, p.files), f.Close())
}

// lastWords keeps the end of what a machine's console says: its last line is the
// exit status.
type lastWords struct {
	tail []byte
	off  func()      // ends a machine that has said its exit status and does not go off by itself
	then *time.Timer // calls off; nil before
}

// grace is how long a machine may take from its last line to its end.
const grace = 10 * time.Second

func (l *lastWords) Write(p []byte) (int, error) {
	l.tail = append(l.tail, p[max(0, len(p)-256):]...)
	l.tail = l.tail[max(0, len(l.tail)-256):]
	if _, ok := l.status(); ok && l.then == nil && l.off != nil {
		l.then = time.AfterFunc(grace, l.off)
	}
	return len(p), nil
}

var statusLine = regexp.MustCompile(`(?m)^cairn: exit status (\d{1,3})\r?\n`)

func (l *lastWords) status() (int, bool) {
	all := statusLine.FindAllSubmatch(l.tail, -1)
	if all == nil {
		return 0, false
	}
	n, err := strconv.Atoi(string(all[len(all)-1][1]))
	return n, err == nil
}
