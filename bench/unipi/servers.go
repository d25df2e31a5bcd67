package unipi

import (
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

const caddy = "caddy"

const (
	cairnPlain, cairnSecure = 17381, 17382
	nginxPlain, nginxSecure = 17383, 17384
	caddyPlain, caddySecure = 17385, 17386
)

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

// start runs the servers, Cairn first.
func start(dir string, log io.Writer) (list []*server, err error) {
	add := func(name string, plain, secure int, env []string, args ...string) error {
		cmd := exec.Command(args[0], args[1:]...)
		cmd.Env = append(os.Environ(), env...)
		s := &server{name: name, cmd: cmd, plain: fmt.Sprintf("http://127.0.0.1:%d", plain), secure: fmt.Sprintf("https://127.0.0.1:%d", secure)}
		if err := cmd.Start(); err != nil {
			return err
		}
		list = append(list, s)
		return await(s)
	}
	self, err := os.Executable()
	if err != nil {
		return list, err
	}
	if err := add("cairn", cairnPlain, cairnSecure, []string{ServeEnv + "=" + dir}, self); err != nil {
		return list, err
	}
	conf := filepath.Join(dir, "nginx.conf")
	if err := os.WriteFile(conf, fmt.Appendf(nil, nginxConf, dir, nginxPlain, nginxSecure), 0o644); err != nil {
		return list, err
	}
	if err := add("nginx", nginxPlain, nginxSecure, nil, "nginx", "-p", dir, "-c", conf); err != nil {
		return list, err
	}
	if _, err := exec.LookPath(caddy); err != nil {
		fmt.Fprintln(log, "caddy is not installed: left out")
		return list, nil
	}
	caddyfile := filepath.Join(dir, "Caddyfile")
	if err := os.WriteFile(caddyfile, fmt.Appendf(nil, caddyConf, dir, caddyPlain, caddySecure), 0o644); err != nil {
		return list, err
	}
	return list, add(caddy, caddyPlain, caddySecure, []string{"HOME=" + dir}, caddy, "run", "--config", caddyfile, "--adapter", "caddyfile")
}

const nginxConf = `daemon off; pid %[1]s/nginx.pid; error_log %[1]s/nginx.err; worker_processes auto;
events { worker_connections 1024; }
http {
	include /etc/nginx/mime.types; charset utf-8;
	access_log %[1]s/nginx.log combined buffer=64k flush=1s;
	client_body_temp_path %[1]s/b; proxy_temp_path %[1]s/p; fastcgi_temp_path %[1]s/f; uwsgi_temp_path %[1]s/u; scgi_temp_path %[1]s/s;
	sendfile on; tcp_nopush on; keepalive_requests 100000000; open_file_cache max=1000;
	root %[1]s/www;
	server { listen 127.0.0.1:%[2]d; }
	server { listen 127.0.0.1:%[3]d ssl http2; ssl_certificate %[1]s/cert.pem; ssl_certificate_key %[1]s/key.pem; }
}
`

const caddyConf = `{
	admin off
	auto_https off
}
http://127.0.0.1:%[2]d {
	root * %[1]s/www
	file_server
	log {
		output file %[1]s/caddy.log
	}
}
https://127.0.0.1:%[3]d {
	tls %[1]s/cert.pem %[1]s/key.pem
	root * %[1]s/www
	file_server
	log {
		output file %[1]s/caddy.log
	}
}
`

// client takes the benchmark's own certificate.
var client = &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}

// await waits until a server answers on both ports.
func await(s *server) error {
	deadline := time.Now().Add(15 * time.Second)
	for _, base := range []string{s.plain, s.secure} {
		for {
			r, err := client.Get(base + "/4k.html")
			if err == nil {
				r.Body.Close()
				if r.StatusCode == http.StatusOK {
					break
				}
				err = fmt.Errorf("status %s", r.Status)
			}
			if time.Now().After(deadline) {
				return fmt.Errorf("%s does not answer: %w", s.name, err)
			}
			time.Sleep(50 * time.Millisecond)
		}
	}
	return nil
}

func etag(url string) (string, error) {
	r, err := client.Head(url)
	if err != nil {
		return "", err
	}
	defer r.Body.Close()
	return r.Header.Get("Etag"), nil
}
