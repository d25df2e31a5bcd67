package lazy_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"cairn/bench/stock"
	"cairn/store"
	"cairn/store/lazy"
	"cairn/store/mem"

	"github.com/go-git/go-git/v5/plumbing"
)

// limitEnv makes this program read a large repository: its value is a URL that answers
// hashes with a pack, a commit, the bytes for objects and the number of files, with spaces between.
const limitEnv = "CAIRN_LAZY_LIMIT"

func TestMain(m *testing.M) {
	if what := os.Getenv(limitEnv); what != "" {
		if err := readLarge(what); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// TestMemoryLimit reads every file of a repository that is much larger than the memory of the
// process that reads it. Under Linux's cgroups, where they may be made, the kernel would
// kill that process; everywhere it is looked at how much it had at most.
func TestMemoryLimit(t *testing.T) {
	if race {
		t.Skip("the race detector has a heap of its own")
	}
	files, limit := 192, int64(64<<20)
	if os.Getenv("CAIRN_LONG") == "1" {
		files, limit = 2048, 80<<20
	}
	repo, err := stock.Large(t.Context(), filepath.Join(t.TempDir(), "large.git"), files)
	if err != nil {
		t.Fatal(err)
	}
	commit, err := repo.Run(t.Context(), nil, "rev-parse", "main")
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		cmd := repo.Command(r.Context(), "pack-objects", "--stdout", "-q", "--threads=1")
		cmd.Stdin, cmd.Stdout = r.Body, w
		if err := cmd.Run(); err != nil {
			w.WriteHeader(http.StatusNotFound)
		}
	}))
	defer server.Close()
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), fmt.Sprintf("%s=%s %s %d %d", limitEnv, server.URL, commit, limit/4, files),
		fmt.Sprintf("GOMEMLIMIT=%d", limit*3/4))
	var out, said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &said
	if err := confined(t, cmd, limit); err != nil {
		t.Fatalf("%v: %s", err, said.Bytes())
	}
	peak, err := strconv.ParseInt(strings.TrimSpace(out.String()), 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d MiB were read with %d MiB of memory", files, peak>>20)
	if peak > limit {
		t.Errorf("%d MiB were resident, want at most %d", peak>>20, limit>>20)
	}
}

// confined runs a command in a cgroup with so much memory, if one can be made.
func confined(t *testing.T, cmd *exec.Cmd, limit int64) error {
	group := fmt.Sprintf("/sys/fs/cgroup/memory/cairn-lazy-%d", os.Getpid())
	if err := os.Mkdir(group, 0o755); err != nil {
		t.Logf("without a cgroup: %v", err)
		return cmd.Run()
	}
	defer os.Remove(group)
	err := os.WriteFile(group+"/memory.limit_in_bytes", strconv.AppendInt(nil, limit, 10), 0o644)
	if err != nil {
		t.Logf("without a cgroup: %v", err)
		return cmd.Run()
	}
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	err = os.WriteFile(group+"/cgroup.procs", strconv.AppendInt(nil, int64(cmd.Process.Pid), 10), 0o644)
	if err != nil {
		t.Logf("without a cgroup: %v", err)
	}
	stdin.Close() // it waits for that
	return cmd.Wait()
}

// readLarge is the process under test. It prints the most memory that it had.
func readLarge(what string) error {
	var url, hex string
	var bound int64
	var files int
	if _, err := fmt.Sscan(what, &url, &hex, &bound, &files); err != nil {
		return err
	}
	if _, err := io.Copy(io.Discard, os.Stdin); err != nil {
		return err
	}
	var s *lazy.Store
	s = lazy.New(lazy.Options{Bytes: bound, Fetch: func(ctx context.Context, hashes []store.Hash) error {
		return fetchOver(ctx, url, hashes, s.Fetched())
	}})
	defer s.Close()
	ctx := context.Background()
	commit := plumbing.NewHash(hex)
	m := mem.New()
	if err := m.Commit(ctx, nil, []store.RefChange{{Name: "refs/heads/main", New: commit}}); err != nil {
		return err
	}
	tree, err := store.New(backend{s, m, m.Commit}, store.Options{CacheBytes: bound / 4}).Branch("main").Tree(ctx)
	if err != nil {
		return err
	}
	for i := range files {
		data, _, err := tree.Blob(stock.LargePath(i))
		if err != nil {
			return err
		}
		if !bytes.Equal(data, stock.LargeContent(i)) {
			return fmt.Errorf("%s is wrong", stock.LargePath(i))
		}
	}
	peak, err := residentPeak()
	fmt.Println(peak)
	return err
}

// fetchOver asks for a pack of objects and receives it.
func fetchOver(ctx context.Context, url string, hashes []store.Hash, to store.Receiver) error {
	var list strings.Builder
	for _, h := range hashes {
		list.WriteString(h.String() + "\n")
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, url, strings.NewReader(list.String()))
	if err != nil {
		return err
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return fs.ErrNotExist
	}
	q, err := to.Receive(ctx, answer.Body, nil, store.Limits{})
	if err != nil {
		return err
	}
	defer q.Discard()
	return q.Keep(ctx)
}

// residentPeak is the most memory that this process has had resident, in bytes.
func residentPeak() (int64, error) {
	data, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(data)) {
		var kilobytes int64
		if n, _ := fmt.Sscanf(line, "VmHWM: %d kB", &kilobytes); n == 1 {
			return kilobytes << 10, nil
		}
	}
	return 0, fs.ErrNotExist
}
