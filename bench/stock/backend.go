package stock

import (
	"context"
	"net/http"
	"net/http/cgi"
	"os/exec"
	"path/filepath"
)

// Backend serves a repository with git http-backend, under its own name in the
// URL, and takes pushes from everybody. Writing is as durable as git makes it
// by default.
func (g Git) Backend(ctx context.Context) (http.Handler, error) {
	git, err := exec.LookPath("git")
	if err != nil {
		return nil, err
	}
	if _, err := g.Run(ctx, nil, "config", "http.receivepack", "true"); err != nil {
		return nil, err
	}
	return &cgi.Handler{
		Path: git,
		Args: []string{"http-backend"},
		Env:  append(Environ(), "GIT_PROJECT_ROOT="+filepath.Dir(g.Dir), "GIT_HTTP_EXPORT_ALL=1"),
	}, nil
}
