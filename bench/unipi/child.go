package unipi

import (
	"context"
	"crypto/tls"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"runtime/debug"

	"cairn/services/unipi"
	"cairn/store"
	"cairn/store/gitdir"
	"cairn/store/object"
)

// ServeEnv names the variable that makes this program the server of the site
// in a folder, see Serve.
const ServeEnv = "CAIRN_BENCH_UNIPI"

// Serve is the child: the files as a site in a repository on disk, as
// cmd/unipi serves it.
func Serve(dir string) error {
	debug.SetGCPercent(400)
	repoDir := filepath.Join(dir, "repo.git")
	if err := gitdir.Init(repoDir); err != nil {
		return err
	}
	backend, err := gitdir.Open(repoDir, gitdir.Options{NoMaintenance: true})
	if err != nil {
		return err
	}
	repo := store.New(backend, store.Options{})
	if err := fill(repo.Branch("site/www/main"), filepath.Join(dir, "www")); err != nil {
		return err
	}
	logFile, err := os.Create(filepath.Join(dir, "cairn.log"))
	if err != nil {
		return err
	}
	sites := &unipi.Sites{Repo: repo, Loopback: true, Default: "www", Access: &unipi.AccessLog{W: logFile}}
	sites.Set([]unipi.SiteConfig{{Name: "www"}})
	pair, err := tls.LoadX509KeyPair(filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem"))
	if err != nil {
		return err
	}
	failed := make(chan error)
	for port, config := range map[int]*tls.Config{cairnPlain: nil, cairnSecure: {Certificates: []tls.Certificate{pair}}} {
		l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err != nil {
			return err
		}
		go func() { failed <- (&unipi.Server{Handler: sites, TLS: config}).Serve(l) }()
	}
	return <-failed
}

// fill puts all files of a folder on a branch.
func fill(b *store.Branch, dir string) error {
	author := object.Signature{Name: "Bench", Email: "bench@localhost"}
	files := os.DirFS(dir)
	return b.Update(context.Background(), store.Change{Author: author, Message: "pages"}, func(tx *store.Tx) error {
		return fs.WalkDir(files, ".", func(name string, e fs.DirEntry, err error) error {
			if err != nil || e.IsDir() {
				return err
			}
			data, err := fs.ReadFile(files, name)
			if err != nil {
				return err
			}
			return tx.Put(name, data)
		})
	})
}
