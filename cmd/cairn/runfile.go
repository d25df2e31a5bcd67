package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"cairn/cmd/setup"
	"cairn/services/config"
	"cairn/services/unipi"
)

// running is run.json: what a script has to know of a Cairn that runs. It
// holds no secret, and is there only while the process is.
type running struct {
	PID  int    `json:"pid"`
	HTTP string `json:"http"` // base URL; the first site is served at <http>/
	Git  string `json:"git"`  // base URL; a site is pushed to <git>/<site>
	SSH  string `json:"ssh"`  // host:port
	Dav  string `json:"dav"`  // base URL of calendars and contacts

	Mail map[string]string `json:"mail"` // host:port of smtp, submission, imap and the rest

	Metrics string `json:"metrics,omitempty"` // URL of what Prometheus asks for
	Domain  string `json:"domain,omitempty"`  // below which the sites have their names
}

// siteURL is where a branch of a site is served, "" while nothing runs.
func (r running) siteURL(site, branch string) string {
	u, err := url.Parse(r.HTTP)
	if err != nil || r.HTTP == "" {
		return ""
	}
	names := &unipi.Sites{Base: r.Domain}
	host := site + "." + cmp.Or(r.Domain, "localhost")
	switch {
	case branch != config.Main:
		host = names.PreviewHost(site, branch)
	case site == firstSite && r.Domain == "":
		host = "localhost"
		if a, err := netip.ParseAddr(u.Hostname()); err == nil && !a.IsLoopback() && !a.IsUnspecified() {
			host = u.Hostname()
		}
	}
	switch port := u.Port(); u.Scheme + port {
	case "http", "https", "http80", "https443":
		if u.Host = host; strings.Contains(host, ":") {
			u.Host = "[" + host + "]"
		}
	default:
		u.Host = net.JoinHostPort(host, port)
	}
	return u.String() + "/"
}

func runPath(home string) string { return filepath.Join(home, "run.json") }

// writeRunning replaces run.json in one step, readable by its owner only.
func writeRunning(home string, r running) error {
	data, err := json.MarshalIndent(r, "", "\t")
	if err != nil {
		return err
	}
	f, err := os.CreateTemp(home, "run-*.json") // mode 0600
	if err != nil {
		return err
	}
	_, err = f.Write(append(data, '\n'))
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), runPath(home))
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return nil
}

// readRunning returns the Cairn that runs on home; fs.ErrNotExist when none does,
// also when one was killed and left its file behind.
func readRunning(home string) (running, error) {
	var r running
	data, err := os.ReadFile(runPath(home))
	if err != nil {
		return r, err
	}
	if err := json.Unmarshal(data, &r); err != nil {
		return r, fmt.Errorf("read %s: %w", runPath(home), err)
	}
	free, err := setup.LockHome(home)
	if err == nil {
		free()
		return running{}, fs.ErrNotExist
	}
	return r, nil
}
