package caldav

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"time"
)

// cairn builds and runs our own server as people run it, and puts the events there.
func cairn(ctx context.Context, dir string, size int) (*server, error) {
	program := filepath.Join(dir, "caldav")
	if out, err := exec.CommandContext(ctx, "go", "build", "-o", program, "cairn/cmd/caldav").CombinedOutput(); err != nil {
		return nil, fmt.Errorf("build caldav: %w: %s", err, out)
	}
	s, err := launch("cairn", cairnPort, dir, "/calendars/owner/home/", nil,
		program, "--home", filepath.Join(dir, "home"), "--listen", "127.0.0.1:"+strconv.Itoa(cairnPort))
	if err != nil {
		return nil, err
	}
	s.user = "owner"
	if s.password, err = firstPassword(filepath.Join(dir, "log")); err != nil {
		return s, err
	}
	if err := s.await(ctx); err != nil {
		return s, err
	}
	return s, s.fill(ctx, size)
}

var passwordLine = regexp.MustCompile(`(?m)^Password +(\S+)`)

// firstPassword waits until caldav has said what the first user's password is.
func firstPassword(log string) (string, error) {
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		said, err := os.ReadFile(log)
		if err != nil {
			return "", err
		}
		if m := passwordLine.FindSubmatch(said); m != nil {
			return string(m[1]), nil
		}
	}
	return "", errors.New("caldav does not say the first password")
}
