package remote

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"cairn/bench/measure"
	"cairn/bench/stock"
	"cairn/bench/wire"
	"cairn/store"
	"cairn/store/gitwire"
	"cairn/store/remote"
)

// ColdEnv names the variable that makes this program a replica that starts with
// nothing: its value is a URL, a filter, the bytes it may keep in memory and what it reads, in
// lines. That is a path, or the number of files of a large repository.
const ColdEnv = "CAIRN_BENCH_REPLICA"

// coldFile is the size of the files: 100,000 are 200 MB.
const coldFile = 2000

// Memory for objects: all of 200 MB, compressed, or what is read of it.
const (
	wholeBytes = 256 << 20
	lazyBytes  = 48 << 20
)

// cold measures how long it takes a new process to serve the first file of a repository
// elsewhere, beside a shallow clone by git from the same server.
func (b *bench) cold(ctx context.Context, dir string, size int) error {
	corpus := stock.Corpus{Files: size, Size: coldFile}
	var history stock.Stream
	history.Tree(corpus)
	repo, err := stock.New(ctx, filepath.Join(dir, "host.git"), history.Data)
	if err != nil {
		return err
	}
	if _, err := repo.Run(ctx, nil, "config", "uploadpack.allowFilter", "true"); err != nil {
		return err
	}
	url, stop, err := serve(ctx, repo.Dir)
	if err != nil {
		return err
	}
	defer stop()
	for _, c := range []struct {
		work, filter string
		bytes        int64
		time, memory measure.Goal
	}{
		{"cold start", "", wholeBytes, measure.Goal{Ratio: 1}, measure.Goal{}},
		{"cold start, files later", "blob:none", lazyBytes, measure.Goal{Ratio: 0.3}, measure.Goal{Value: 100 << 20}},
	} {
		var resident []float64
		took, peer, err := measure.InTurn(b.room.Rounds,
			func() (float64, error) {
				seconds, bytes, err := coldStart(ctx, url, c.filter, c.bytes, corpus.Path(size/2))
				resident = append(resident, bytes)
				return seconds, err
			},
			func() (float64, error) { return shallowClone(ctx, url, filepath.Join(dir, "clone")) })
		if err != nil {
			return err
		}
		b.add(c.work, size, measure.Seconds, took, peer, "git clone --bare --depth 1", c.time)
		b.add(c.work+", resident memory", size, measure.Bytes, resident, nil, "", c.memory)
	}
	return nil
}

// shallowClone returns the time in seconds that git takes.
func shallowClone(ctx context.Context, url, dir string) (float64, error) {
	defer os.RemoveAll(dir)
	clone := stock.Git{Dir: dir}
	began := time.Now()
	_, err := clone.Run(ctx, nil, "clone", "-q", "--bare", "--depth", "1", url, dir)
	return time.Since(began).Seconds(), err
}

// coldStart starts this program as a replica and returns the time in seconds until it has
// served a file, and the most memory that was resident in it, in bytes.
func coldStart(ctx context.Context, url, filter string, bytes int64, path string) (seconds, resident float64, err error) {
	cmd, err := child(ctx, ColdEnv, url, filter, strconv.FormatInt(bytes, 10), path)
	if err != nil {
		return 0, 0, err
	}
	began := time.Now()
	out, err := cmd.Output()
	seconds = time.Since(began).Seconds()
	if err != nil {
		return 0, 0, fmt.Errorf("cold start: %w", err)
	}
	resident, err = strconv.ParseFloat(strings.TrimSpace(string(out)), 64)
	return seconds, resident, err
}

// Cold is the replica: it prints the most memory that was resident in it.
func Cold(what string) error {
	args := strings.Split(what, "\n")
	if len(args) != 4 {
		return errors.New("cold start: malformed " + ColdEnv)
	}
	bytes, err := strconv.ParseInt(args[2], 10, 64)
	if err != nil {
		return err
	}
	ctx := context.Background()
	client := gitwire.Client{HTTP: http.DefaultTransport}
	host, err := client.Remote(args[0])
	if err != nil {
		return err
	}
	defer host.Close()
	b, err := remote.Open(ctx, remote.Options{Host: host, Bytes: bytes, Filter: args[1]})
	if err != nil {
		return err
	}
	defer b.Close()
	tree, err := store.New(b, store.Options{CacheBytes: bytes / 2}).Branch("main").Tree(ctx)
	if err != nil {
		return err
	}
	if files, err := strconv.Atoi(args[3]); err == nil {
		if err := readLarge(tree, files); err != nil {
			return err
		}
	} else if _, _, err := tree.Blob(args[3]); err != nil {
		return err
	}
	resident, err := resident()
	fmt.Println(resident)
	return err
}

// resident is the most memory that this process has had resident, in bytes.
func resident() (int64, error) {
	data, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0, err
	}
	var kilobytes int64
	for line := range strings.Lines(string(data)) {
		if n, _ := fmt.Sscanf(line, "VmHWM: %d kB", &kilobytes); n == 1 {
			return kilobytes << 10, nil
		}
	}
	return 0, errors.New("/proc/self/status has no VmHWM")
}

// child is this program as what a variable makes of it.
func child(ctx context.Context, env string, args ...string) (*exec.Cmd, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, self)
	cmd.Env = append(os.Environ(), env+"="+strings.Join(args, "\n"))
	cmd.Stderr = os.Stderr
	return cmd, nil
}

// serve serves a repository by git http-backend, in another process.
func serve(ctx context.Context, dir string) (url string, stop func(), err error) {
	cmd, err := child(ctx, wire.ServeEnv, "git", dir)
	if err != nil {
		return "", nil, err
	}
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return "", nil, err
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return "", nil, err
	}
	if err := cmd.Start(); err != nil {
		return "", nil, err
	}
	stop = func() {
		stdin.Close()
		io.Copy(io.Discard, stdout)
		cmd.Wait()
	}
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		stop()
		return "", nil, fmt.Errorf("start server: %w", err)
	}
	return strings.TrimSpace(line), stop, nil
}
