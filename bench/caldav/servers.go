package caldav

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"cairn/bench/measure"
)

// The owner of the calendar, where the benchmark may choose.
const owner = "alice"

// secret is the owner's password where the benchmark may choose it.
const secret = "correct-horse-battery"

const (
	cairnPort    = 17390
	imapPort     = 17391
	cyrusPort    = 17392
	radicalePort = 17393
	xandikosPort = 17394
)

// A server is one of the programs under comparison.
type server struct {
	name     string
	base     string // URL without a path
	calendar string // path of the calendar
	user     string
	password string
	cmd      *exec.Cmd
}

func (s *server) stop() {
	_ = s.cmd.Process.Signal(syscall.SIGTERM)
	done := make(chan struct{})
	go func() { _ = s.cmd.Wait(); close(done) }()
	select {
	case <-done:
	case <-time.After(10 * time.Second):
		_ = s.cmd.Process.Kill()
		<-done
	}
}

// launch runs a program in a folder of its own; what it says goes to a file there.
func launch(name string, port int, dir, calendar string, env []string, args ...string) (*server, error) {
	log, err := os.Create(filepath.Join(dir, "log"))
	if err != nil {
		return nil, err
	}
	defer log.Close()
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Env, cmd.Dir, cmd.Stdout, cmd.Stderr = append(os.Environ(), env...), dir, log, log
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	return &server{name: name, base: "http://127.0.0.1:" + strconv.Itoa(port), calendar: calendar, user: owner, password: secret, cmd: cmd}, nil
}

// start runs the servers that are installed, Cairn first, and gives each a calendar of
// so many events.
func start(ctx context.Context, dir string, size int, log io.Writer) (list []*server, err error) {
	for _, p := range []struct {
		name, needs string
		run         func(ctx context.Context, dir string, size int) (*server, error)
	}{
		{"cairn", "", cairn},
		{"cyrus", cyrusBin + "master", cyrus},
		{"radicale", "radicale", radicale},
		{"xandikos", "xandikos", xandikos},
	} {
		if _, err := exec.LookPath(p.needs); p.needs != "" && err != nil {
			fmt.Fprintf(log, "%s is not installed: left out\n", p.name)
			continue
		}
		place := filepath.Join(dir, p.name)
		if err := os.Mkdir(place, 0o755); err != nil {
			return list, err
		}
		began := time.Now()
		s, err := p.run(ctx, place, size)
		if s != nil {
			list = append(list, s)
		}
		if err == nil {
			err = s.expect(ctx, "GET", s.event(size-1), "", 200, "BEGIN:VEVENT")
		}
		if err != nil {
			said, _ := os.ReadFile(filepath.Join(place, "log"))
			return list, fmt.Errorf("%s: %w\n%s", p.name, err, said)
		}
		fmt.Fprintf(log, "%s has %d events after %v\n", p.name, size, time.Since(began).Round(time.Second))
	}
	return list, nil
}

// fill puts events into a calendar over the protocol.
func (s *server) fill(ctx context.Context, size int) error {
	_, err := rateOf(ctx, 8, size, s.put)
	return err
}

// await waits until a server answers at all.
func (s *server) await(ctx context.Context) error {
	for deadline := time.Now().Add(time.Minute); ; {
		status, _, err := s.request(ctx, "OPTIONS", "/", "")
		if err == nil && status != http.StatusServiceUnavailable {
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("it does not answer: %w", err)
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// resident is the memory of a server's processes, in bytes.
func (s *server) resident() (float64, error) { return measure.Resident(s.cmd.Process.Pid) }
