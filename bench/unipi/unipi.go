// Package unipi measures websites: the same files served by Cairn, nginx and
// (where it is installed) Caddy, each with an access log.
//
// It needs nginx, wrk and h2load (Debian: nginx-light, wrk, nghttp2-client).
package unipi

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	"cairn/bench/measure"
	"cairn/bench/stock"
)

// A load is one kind of request.
type load struct {
	name  string
	page  string
	http2 bool
	again bool // with If-None-Match
}

var loads = []load{
	{"GET 4 KB, HTTP/1.1", "4k.html", false, false},
	{"GET 64 KB, HTTP/1.1", "64k.html", false, false},
	{"GET 1 MB, HTTP/1.1", "1m.html", false, false},
	{"304, HTTP/1.1", "4k.html", false, true},
	{"GET 4 KB, h2 over TLS", "4k.html", true, false},
	{"GET 64 KB, h2 over TLS", "64k.html", true, false},
	{"GET 1 MB, h2 over TLS", "1m.html", true, false},
	{"304, h2 over TLS", "4k.html", true, true},
}

// Run measures sites of each size.
func Run(ctx context.Context, room *measure.Room) error {
	for _, tool := range []string{"nginx", "wrk", "h2load"} {
		if _, err := exec.LookPath(tool); err != nil {
			fmt.Fprintf(room.Log, "unipi is left out: %v; install nginx-light, wrk and nghttp2-client\n", err)
			return nil
		}
	}
	b := bench{room}
	for _, size := range room.Sizes {
		if err := room.Stage(ctx, "serve", size, b.serve); err != nil {
			return err
		}
	}
	return nil
}

type bench struct{ room *measure.Room }

// serve compares the servers on a site of so many files.
func (b *bench) serve(ctx context.Context, dir string, size int) error {
	for d := dir; d != filepath.Dir(b.room.Dir); d = filepath.Dir(d) {
		if err := os.Chmod(d, 0o755); err != nil { // nginx's workers may be another user
			return err
		}
	}
	if err := writeFiles(dir, size); err != nil {
		return err
	}
	servers, err := start(dir, b.room.Log)
	defer func() {
		for _, s := range servers {
			s.stop()
		}
	}()
	if err != nil {
		return err
	}
	for _, l := range loads {
		if err := b.compare(ctx, l, servers, size); err != nil {
			return err
		}
	}
	return nil
}

// compare measures one load on Cairn, which comes first, and on each other server.
func (b *bench) compare(ctx context.Context, l load, servers []*server, size int) error {
	for _, s := range servers[1:] {
		goal := 0.67
		switch {
		case s.name == caddy:
			goal = 1
		case l.http2:
			goal = 0.6
		}
		rate := func(s *server) func() (float64, error) {
			return func() (float64, error) { return b.rate(ctx, l, s) }
		}
		ours, peer, err := measure.InTurn(b.room.Rounds, rate(servers[0]), rate(s))
		if err != nil {
			return err
		}
		b.room.Add(measure.Result{
			Work: l.name, Size: size, Unit: measure.PerSecond,
			Ours: ours, Peer: peer, Tool: s.name, Goal: measure.Goal{Ratio: goal},
		})
	}
	return nil
}

var (
	wrkRate    = regexp.MustCompile(`Requests/sec:\s+([\d.]+)`)
	wrkErrors  = regexp.MustCompile(`Non-2xx|Socket errors`)
	wrkSockets = regexp.MustCompile(`Socket errors`)
	h2loadRate = regexp.MustCompile(`finished in [^,]+, ([\d.]+) req/s`)
	h2loadBad  = regexp.MustCompile(`[1-9]\d* (4xx|5xx|errored|failed)`)
)

// rate returns how many requests a second a server answers.
func (b *bench) rate(ctx context.Context, l load, s *server) (float64, error) {
	seconds := strconv.Itoa(b.room.Share(2))
	cmd := exec.CommandContext(ctx, "wrk", "-t1", "-c32", "-d"+seconds+"s")
	rate, bad := wrkRate, wrkErrors
	url := s.plain + "/" + l.page
	if l.http2 {
		cmd = exec.CommandContext(ctx, "h2load", "-t1", "-c8", "-m16", "--warm-up-time=1", "-D"+seconds)
		rate, bad = h2loadRate, h2loadBad
		url = s.secure + "/" + l.page
	}
	if l.again {
		tag, err := etag(url)
		if err != nil {
			return 0, err
		}
		cmd.Args = append(cmd.Args, "-H", "if-none-match: "+tag)
		if !l.http2 {
			bad = wrkSockets // wrk counts a 304 as Non-2xx
		}
	}
	cmd.Args = append(cmd.Args, url)
	out, err := cmd.CombinedOutput()
	m := rate.FindSubmatch(out)
	if err != nil || m == nil || bad.Match(out) {
		return 0, fmt.Errorf("%s on %s: %v: %v\n%s", l.name, s.name, cmd.Args, err, out)
	}
	return strconv.ParseFloat(string(m[1]), 64)
}

// writeFiles makes the pages that are asked for, other files up to size, and a
// certificate.
func writeFiles(dir string, size int) error {
	www := filepath.Join(dir, "www")
	if err := os.Mkdir(www, 0o755); err != nil {
		return err
	}
	for name, size := range map[string]int{"4k.html": 4 << 10, "64k.html": 64 << 10, "1m.html": 1 << 20} {
		text := strings.Repeat("<p>The quick brown fox jumps over the lazy dog.</p>\n", size/52+1)[:size]
		if err := os.WriteFile(filepath.Join(www, name), []byte(text), 0o644); err != nil {
			return err
		}
	}
	for e := range (stock.Corpus{Files: max(size-3, 0), Size: 200}).All {
		name := filepath.Join(www, e.Path)
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(name, e.Data, 0o644); err != nil {
			return err
		}
	}
	return writeCertificate(dir)
}
