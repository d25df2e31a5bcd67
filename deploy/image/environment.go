package image

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
)

// pinned is what decides how a program comes out, the same for everybody. GOENV=off
// leaves out what `go env -w` has set.
var pinned = []string{
	"GOOS=linux", "GOARCH=amd64", "GOAMD64=v1", "CGO_ENABLED=0",
	"GOFLAGS=", "GOEXPERIMENT=", "GODEBUG=", "GOFIPS140=off", "GOWORK=off", "GO111MODULE=on", "GOENV=off",
	"LC_ALL=C", "TZ=UTC",
}

// own are the builder's settings that decide where things come from and are kept,
// and not how a program comes out: modules are checked against go.sum.
var own = []string{
	"GOCACHE", "GOMODCACHE", "GOPATH", "GOTOOLCHAIN", "GOVCS", "GOAUTH",
	"GOPROXY", "GONOPROXY", "GOSUMDB", "GONOSUMDB", "GOPRIVATE", "GOINSECURE",
}

// passed are variables of the process that programs beside go read.
var passed = []string{
	"PATH", "HOME", "TMPDIR", "GOROOT",
	"HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy", "SSL_CERT_FILE", "SSL_CERT_DIR",
	"GIT_CONFIG_GLOBAL", "GIT_CONFIG_NOSYSTEM",
}

// A toolchain runs Go in the pinned environment, in one folder.
type toolchain struct {
	dir string
	env []string
}

// newToolchain asks the Go that is installed for the builder's own settings.
func newToolchain(ctx context.Context, dir string) (*toolchain, error) {
	if _, err := exec.LookPath("go"); err != nil {
		return nil, errors.New("building needs Go, which is not installed here: see https://go.dev/dl")
	}
	cmd := exec.CommandContext(ctx, "go", append([]string{"env", "-json"}, own...)...)
	cmd.Dir = dir
	out, err := output(cmd)
	if err != nil {
		return nil, err
	}
	var settings map[string]string
	if err := json.Unmarshal(out, &settings); err != nil {
		return nil, fmt.Errorf("read what go env says: %w", err)
	}
	t := &toolchain{dir: dir, env: pinned}
	for _, name := range passed {
		if value, ok := os.LookupEnv(name); ok {
			t.env = append(t.env[:len(t.env):len(t.env)], name+"="+value)
		}
	}
	for _, name := range own {
		t.env = append(t.env, name+"="+settings[name])
	}
	return t, nil
}

// run runs go and returns what it prints.
func (t *toolchain) run(ctx context.Context, args ...string) ([]byte, error) {
	return t.command(ctx, "go", args...)
}

// command runs a program in the pinned environment.
func (t *toolchain) command(ctx context.Context, name string, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir, cmd.Env = t.dir, t.env
	return output(cmd)
}

// output runs a command and returns what it prints; an error says what it complained of.
func output(cmd *exec.Cmd) ([]byte, error) {
	var complaint bytes.Buffer
	cmd.Stderr = &complaint
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("%s: %w\n%s", strings.Join(cmd.Args, " "), err, strings.TrimSpace(complaint.String()))
	}
	return out, nil
}
