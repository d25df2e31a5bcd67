package wire

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"strings"
)

// A server is a process that serves one repository.
type server struct {
	url   string
	cmd   *exec.Cmd
	stdin io.Closer
}

// start starts this program as a server, see Serve.
func start(ctx context.Context, kind, dir string) (*server, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, self)
	cmd.Env = append(os.Environ(), ServeEnv+"="+kind+"\n"+dir)
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	s := &server{cmd: cmd, stdin: stdin}
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		s.stop()
		return nil, fmt.Errorf("start %s server: %w", kind, err)
	}
	s.url = strings.TrimSpace(line)
	return s, nil
}

func (s *server) stop() {
	s.stdin.Close()
	s.cmd.Wait()
}

// used asks the server what memory it has used.
func (s *server) used() (u used, err error) {
	address, err := url.JoinPath(s.url, "..", usedPath)
	if err != nil {
		return u, err
	}
	answer, err := http.Get(address)
	if err != nil {
		return u, err
	}
	defer answer.Body.Close()
	return u, json.NewDecoder(answer.Body).Decode(&u)
}

// pair starts a server of each kind, which serve these folders.
func pair(ctx context.Context, oursDir, gitDir string) (ours, theirs *server, stop func(), err error) {
	if ours, err = start(ctx, cairn, oursDir); err != nil {
		return nil, nil, nil, err
	}
	if theirs, err = start(ctx, git, gitDir); err != nil {
		ours.stop()
		return nil, nil, nil, err
	}
	return ours, theirs, func() { ours.stop(); theirs.stop() }, nil
}
