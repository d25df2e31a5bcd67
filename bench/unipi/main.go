// The unipi benchmark serves the same files with Cairn, nginx and (where it is
// installed) Caddy, side by side, and prints how many requests a second each
// answers and Cairn's share of nginx's. All three write an access log.
//
//	go run ./bench/unipi [-rounds 5] [-seconds 3] [-only "4 KB"]
//
// It needs nginx, wrk and h2load (Debian: nginx-light, wrk, nghttp2-client).
package main

import (
	"flag"
	"fmt"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

func main() {
	if dir := os.Getenv(serveEnv); dir != "" {
		log.Fatal(serve(dir))
	}
	rounds := flag.Int("rounds", 5, "rounds, interleaved")
	seconds := flag.Int("seconds", 3, "seconds for each measurement")
	only := flag.String("only", "", "only cases whose name contains this")
	flag.Parse()
	if err := run(*rounds, *seconds, *only); err != nil {
		log.Fatal(err)
	}
}

// A load is one kind of request.
type load struct {
	name  string
	page  string
	http2 bool
	again bool // with If-None-Match
}

var loads = []load{
	{"HTTP/1.1 4 KB", "4k.html", false, false},
	{"HTTP/1.1 64 KB", "64k.html", false, false},
	{"HTTP/1.1 1 MB", "1m.html", false, false},
	{"HTTP/1.1 304", "4k.html", false, true},
	{"h2 TLS 4 KB", "4k.html", true, false},
	{"h2 TLS 64 KB", "64k.html", true, false},
	{"h2 TLS 1 MB", "1m.html", true, false},
	{"h2 TLS 304", "4k.html", true, true},
}

func run(rounds, seconds int, only string) error {
	for _, tool := range []string{"nginx", "wrk", "h2load"} {
		if _, err := exec.LookPath(tool); err != nil {
			return fmt.Errorf("%w: install nginx-light, wrk and nghttp2-client", err)
		}
	}
	dir, err := os.MkdirTemp("", "bench-unipi-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if err := os.Chmod(dir, 0o755); err != nil { // nginx's workers may be another user
		return err
	}
	if err := writeFiles(dir); err != nil {
		return err
	}
	servers, err := start(dir)
	defer func() {
		for _, s := range servers {
			s.stop()
		}
	}()
	if err != nil {
		return err
	}
	fmt.Printf("%-16s %12s", "requests/s", "nginx")
	for _, s := range servers[1:] {
		fmt.Printf(" %12s %8s %8s", s.name, "median", "min")
	}
	fmt.Println()
	for _, l := range loads {
		if strings.Contains(l.name, only) {
			if err := compare(l, servers, rounds, seconds); err != nil {
				return err
			}
		}
	}
	return nil
}

// compare measures one load on all servers in turn, several times over. A
// share is taken within a round, because the machine's mood is the same there.
func compare(l load, servers []*server, rounds, seconds int) error {
	rates := make([][]float64, len(servers))
	for range rounds {
		for i, s := range servers {
			rate, err := measure(l, s, seconds)
			if err != nil {
				return fmt.Errorf("%s on %s: %w", l.name, s.name, err)
			}
			rates[i] = append(rates[i], rate)
		}
	}
	fmt.Printf("%-16s %12.0f", l.name, median(rates[0]))
	for i := range servers[1:] {
		var shares []float64
		for r, rate := range rates[i+1] {
			shares = append(shares, rate/rates[0][r])
		}
		fmt.Printf(" %12.0f %7.2fx %7.2fx", median(rates[i+1]), median(shares), slices.Min(shares))
	}
	fmt.Println()
	return nil
}

func median(v []float64) float64 {
	v = slices.Sorted(slices.Values(v))
	return v[len(v)/2]
}

var (
	wrkRate    = regexp.MustCompile(`Requests/sec:\s+([\d.]+)`)
	wrkErrors  = regexp.MustCompile(`Non-2xx|Socket errors`)
	h2loadRate = regexp.MustCompile(`finished in [^,]+, ([\d.]+) req/s`)
	h2loadBad  = regexp.MustCompile(`[1-9]\d* (4xx|5xx|errored|failed)`)
)

func measure(l load, s *server, seconds int) (float64, error) {
	cmd := exec.Command("wrk", "-t1", "-c32", "-d"+strconv.Itoa(seconds)+"s")
	rate, bad := wrkRate, wrkErrors
	url := s.plain + "/" + l.page
	if l.http2 {
		cmd = exec.Command("h2load", "-t1", "-c8", "-m16", "--warm-up-time=1", "-D"+strconv.Itoa(seconds))
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
			bad = regexp.MustCompile(`Socket errors`) // wrk counts a 304 as Non-2xx
		}
	}
	cmd.Args = append(cmd.Args, url)
	out, err := cmd.CombinedOutput()
	m := rate.FindSubmatch(out)
	if err != nil || m == nil || bad.Match(out) {
		return 0, fmt.Errorf("%v: %v\n%s", cmd.Args, err, out)
	}
	return strconv.ParseFloat(string(m[1]), 64)
}

// writeFiles makes the pages and a certificate.
func writeFiles(dir string) error {
	if err := os.Mkdir(filepath.Join(dir, "www"), 0o755); err != nil {
		return err
	}
	for name, size := range map[string]int{"4k.html": 4 << 10, "64k.html": 64 << 10, "1m.html": 1 << 20} {
		text := strings.Repeat("<p>The quick brown fox jumps over the lazy dog.</p>\n", size/52+1)[:size]
		if err := os.WriteFile(filepath.Join(dir, "www", name), []byte(text), 0o644); err != nil {
			return err
		}
	}
	return writeCertificate(dir)
}

// A server is one of the programs under comparison.
type server struct {
	name          string
	plain, secure string // base URLs
	cmd           *exec.Cmd
}

func (s *server) stop() {
	_ = s.cmd.Process.Signal(os.Interrupt)
	done := make(chan struct{})
	go func() { _ = s.cmd.Wait(); close(done) }()
	select {
	case <-done:
	case <-time.After(5 * time.Second):
		_ = s.cmd.Process.Kill()
		<-done
	}
}
