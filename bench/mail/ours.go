package mail

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"time"

	"cairn/bench/measure"
	"cairn/services/mail/mailbox"
	"cairn/services/mail/transfer"
	"cairn/store"
	"cairn/store/gitdir"
)

// A mailServer is cmd/mail as people run it, on a repository on disk.
type mailServer struct {
	cmd            *exec.Cmd
	in, out        string
	user, password string
	names          func() // ends them
}

func (s *mailServer) smtp() string               { return s.in }
func (s *mailServer) imap() string               { return s.out }
func (s *mailServer) login() (string, string)    { return s.user, s.password }
func (s *mailServer) address() string            { return s.user + "@localhost" }
func (s *mailServer) resident() (float64, error) { return measure.Resident(s.cmd.Process.Pid) }

func (s *mailServer) stop() {
	s.cmd.Process.Signal(syscall.SIGTERM)
	s.cmd.Wait()
	s.names()
}

var told = regexp.MustCompile(`imap (\S+:\d+).*smtp (\S+:\d+)`)

// cairn starts it with so many messages.
func cairn(ctx context.Context, dir string, size int) (*mailServer, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	program, home := filepath.Join(dir, "mail"), filepath.Join(dir, "home")
	if out, err := exec.CommandContext(ctx, "go", "build", "-o", program, "cairn/cmd/mail").CombinedOutput(); err != nil {
		return nil, fmt.Errorf("build mail: %w: %s", err, out)
	}
	s, password, err := launch(program, home, filepath.Join(dir, "log"))
	if err != nil {
		return nil, err
	}
	s.stop() // the home has been made
	if err := fill(ctx, filepath.Join(home, "repo.git"), size); err != nil {
		return nil, err
	}
	s, _, err = launch(program, home, filepath.Join(dir, "log2"))
	if err != nil {
		return nil, err
	}
	s.user, s.password = "owner", password
	return s, nil
}

// launch starts the program, and waits until it says where it is.
func launch(program, home, log string) (*mailServer, string, error) {
	f, err := os.Create(log)
	if err != nil {
		return nil, "", err
	}
	defer f.Close()
	names, stop, err := serveNames()
	if err != nil {
		return nil, "", err
	}
	s := &mailServer{names: stop, cmd: exec.Command(program, "--home", home, "--smtp", "127.0.0.1:0", "--submission", "127.0.0.1:0", "--imap", "127.0.0.1:0", "--sieve", "127.0.0.1:0", "--dns", names)}
	s.cmd.Stdout, s.cmd.Stderr = f, f
	if err := s.cmd.Start(); err != nil {
		return nil, "", err
	}
	for began := time.Now(); time.Since(began) < time.Minute; time.Sleep(20 * time.Millisecond) {
		said, err := os.ReadFile(log)
		if err != nil {
			return s, "", err
		}
		if m := told.FindSubmatch(said); m != nil {
			s.out, s.in = strings.TrimRight(string(m[1]), ","), string(m[2])
			password := ""
			if _, rest, ok := strings.Cut(string(said), "Password  "); ok {
				password, _, _ = strings.Cut(rest, " ")
			}
			return s, password, nil
		}
	}
	said, _ := os.ReadFile(log)
	return s, "", errors.New("mail does not say where it is: " + string(said))
}

// fill brings messages in, as cairn mail import does.
func fill(ctx context.Context, repo string, size int) error {
	dir, err := gitdir.Open(repo, gitdir.Options{})
	if err != nil {
		return err
	}
	boxes := mailbox.Open(store.New(dir, store.Options{}), mailbox.Options{Now: time.Now})
	_, err = transfer.Import(ctx, boxes, store.Change{Message: "Fill\n"}, "owner", func(yield func(transfer.Message, error) bool) {
		for i := range size {
			if !yield(transfer.Message{Mailbox: "INBOX", Raw: []byte(message(i)), Date: time.Unix(1_790_000_000+int64(i), 0)}, nil) {
				return
			}
		}
	}, nil)
	return errors.Join(err, dir.Close())
}
