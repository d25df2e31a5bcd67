package caldav

import (
	"context"
	"errors"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"cairn/services/accounts"
	"cairn/services/caldav"
	"cairn/services/caldav/shelf"
	"cairn/store"
	"cairn/store/gitdir"
	"cairn/store/object"
)

// ServeEnv names the environment variable that makes this program the server under
// test, of a repository in the folder that it holds.
const ServeEnv = "CAIRN_BENCH_CALDAV"

// cairn runs our own server, and puts the events there.
func cairn(ctx context.Context, dir string, size int) (*server, error) {
	repo := filepath.Join(dir, "repo.git")
	if err := gitdir.Init(repo); err != nil {
		return nil, err
	}
	password, err := account(ctx, repo)
	if err != nil {
		return nil, err
	}
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	s, err := launch("cairn", cairnPort, dir, "/calendars/"+owner+"/home/", []string{ServeEnv + "=" + repo}, self)
	if err != nil {
		return nil, err
	}
	s.password = password
	if err := s.await(ctx); err != nil {
		return s, err
	}
	return s, s.fill(ctx, size)
}

// account makes the owner, and returns an app password.
func account(ctx context.Context, dir string) (string, error) {
	d, err := gitdir.Open(dir, gitdir.Options{})
	if err != nil {
		return "", err
	}
	defer d.Close()
	a := accounts.New(store.New(d, store.Options{}).Branch("accounts"))
	if err := a.Add(ctx, object.Signature{}, owner, secret, true); err != nil {
		return "", err
	}
	return a.NewAppPassword(ctx, object.Signature{}, owner, "bench")
}

// Serve serves, as cmd/caldav does, a repository's calendars until the process is killed.
func Serve(dir string) error {
	d, err := gitdir.Open(dir, gitdir.Options{})
	if err != nil {
		return err
	}
	defer d.Close()
	repo := store.New(d, store.Options{CacheBytes: 24 << 20})
	service := &caldav.Service{
		Shelf:    shelf.New(repo, shelf.Options{Now: time.Now}),
		Accounts: accounts.New(repo.Branch("accounts")),
		Now:      time.Now,
	}
	l, err := net.Listen("tcp", "127.0.0.1:"+strconv.Itoa(cairnPort))
	if err != nil {
		return err
	}
	err = http.Serve(l, service.Handler())
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}
