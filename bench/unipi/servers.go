package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"time"

	"cairn/services/unipi"
	"cairn/store"
	"cairn/store/gitdir"
	"cairn/store/object"
)

// serveEnv names the folder of the benchmark for the child that is Cairn.
const serveEnv = "CAIRN_BENCH_UNIPI"

const (
	cairnPlain, cairnSecure = 17381, 17382
	nginxPlain, nginxSecure = 17383, 17384
	caddyPlain, caddySecure = 17385, 17386
)

// start runs the servers: nginx first, to which the others are compared.
func start(dir string) (list []*server, err error) {
	add := func(name string, plain, secure int, env []string, args ...string) error {
		cmd := exec.Command(args[0], args[1:]...)
		cmd.Env = append(os.Environ(), env...)
		cmd.Stderr = os.Stderr
		if name != "cairn" {
			cmd.Stderr = nil
		}
		s := &server{name: name, cmd: cmd, plain: fmt.Sprintf("http://127.0.0.1:%d", plain), secure: fmt.Sprintf("https://127.0.0.1:%d", secure)}
		if err := cmd.Start(); err != nil {
			return err
		}
		list = append(list, s)
		return await(s)
	}
	conf := filepath.Join(dir, "nginx.conf")
	if err := os.WriteFile(conf, fmt.Appendf(nil, nginxConf, dir, nginxPlain, nginxSecure), 0o644); err != nil {
		return nil, err
	}
	if err := add("nginx", nginxPlain, nginxSecure, nil, "nginx", "-p", dir, "-c", conf); err != nil {
		return list, err
	}
	self, err := os.Executable()
	if err != nil {
		return list, err
	}
	if err := add("cairn", cairnPlain, cairnSecure, []string{serveEnv + "=" + dir}, self); err != nil {
		return list, err
	}
	if _, err := exec.LookPath("caddy"); err != nil {
		fmt.Println("caddy is not installed: left out")
		return list, nil
	}
	caddyfile := filepath.Join(dir, "Caddyfile")
	if err := os.WriteFile(caddyfile, fmt.Appendf(nil, caddyConf, dir, caddyPlain, caddySecure), 0o644); err != nil {
		return list, err
	}
	return list, add("caddy", caddyPlain, caddySecure, []string{"HOME=" + dir}, "caddy", "run", "--config", caddyfile, "--adapter", "caddyfile")
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

// serve is the child: the files as a site in a repository on disk, as
// cmd/unipi serves it.
func serve(dir string) error {
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

func fill(b *store.Branch, dir string) error {
	author := object.Signature{Name: "Bench", Email: "bench@localhost"}
	return b.Update(context.Background(), store.Change{Author: author, Message: "pages"}, func(tx *store.Tx) error {
		entries, err := os.ReadDir(dir)
		for _, e := range entries {
			data, err := os.ReadFile(filepath.Join(dir, e.Name()))
			if err != nil {
				return err
			}
			if err := tx.Put(e.Name(), data); err != nil {
				return err
			}
		}
		return err
	})
}

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

func writeCertificate(dir string) error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "bench"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
	}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return err
	}
	keyBytes, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	for name, block := range map[string]*pem.Block{
		"cert.pem": {Type: "CERTIFICATE", Bytes: cert}, "key.pem": {Type: "PRIVATE KEY", Bytes: keyBytes},
	} {
		if err := os.WriteFile(filepath.Join(dir, name), pem.EncodeToMemory(block), 0o600); err != nil {
			return err
		}
	}
	return nil
}
