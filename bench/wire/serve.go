package wire

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"cairn/bench/measure"
	"cairn/bench/stock"
	"cairn/store"
	"cairn/store/gitdir"
	"cairn/store/gitwire"
)

// ServeEnv names the variable that makes this program a server of one
// repository: its value says which of the servers below, and which folder.
const ServeEnv = "CAIRN_BENCH_SERVE"

// usedPath is where a server tells what memory it has used.
const usedPath = "/used"

// used is memory in bytes.
type used struct {
	Heap     float64 // the most that was in use at once, Cairn only
	Resident float64 // the most that was resident at once, of the server itself
	Children float64 // the same of the largest process it has started
}

// Serve prints its address and serves until its standard input ends.
func Serve(what string) error {
	kind, dir, _ := strings.Cut(what, "\n")
	handler, stop, err := handlerOf(kind, dir)
	if err != nil {
		return err
	}
	defer stop()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.Handle("/", handler)
	heap := measure.Heap()
	mux.HandleFunc(usedPath, func(w http.ResponseWriter, _ *http.Request) {
		u := used{Resident: resident(), Children: largestChild()}
		if kind == cairn {
			u.Heap = heap()
			heap = measure.Heap()
		}
		json.NewEncoder(w).Encode(u)
	})
	fmt.Printf("http://%s/%s\n", l.Addr(), filepath.Base(dir))
	server := &http.Server{Handler: mux}
	go func() {
		io.Copy(io.Discard, os.Stdin)
		server.Close()
	}()
	if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// The servers.
const (
	cairn    = "cairn"
	git      = "git"
	gitLogin = "git with a password"
)

func handlerOf(kind, dir string) (h http.Handler, stop func() error, err error) {
	if kind != cairn {
		h, err = stock.Git{Dir: dir}.Backend(context.Background())
		if kind == gitLogin {
			h = login(h)
		}
		return h, func() error { return nil }, err
	}
	d, err := gitdir.Open(dir, gitdir.Options{})
	if err != nil {
		return nil, nil, err
	}
	return &gitwire.HTTPHandler{
		Open: func(http.ResponseWriter, *http.Request, string, bool) (*gitwire.View, error) { return all(d), nil },
	}, d.Close, nil
}

// all shows every ref and allows every push, as git http-backend does.
func all(d *gitdir.Dir) *gitwire.View {
	return &gitwire.View{
		Backend: d,
		Head:    "refs/heads/main",
		Refs: func(ctx context.Context) (refs []store.Ref, err error) {
			for ref, err := range d.Refs(ctx, "refs/") {
				if err != nil {
					return nil, err
				}
				refs = append(refs, ref)
			}
			return refs, nil
		},
		Real:  func(shown string) (string, error) { return shown, nil },
		Allow: func(context.Context, *gitwire.Push, gitwire.Command) error { return nil },
	}
}

// resident is the most memory that this process has had resident, in bytes.
func resident() float64 {
	data, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(data), "VmHWM:")
	var kib float64
	fmt.Sscan(rest, &kib)
	return kib * 1024
}

// largestChild is that of the largest process which this one has started and
// waited for, or one of those has.
func largestChild() float64 {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_CHILDREN, &usage); err != nil {
		return 0
	}
	return float64(usage.Maxrss) * 1024
}
