package githost

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// An nginx serves the repository by git http-backend, as git-http-backend(1)
// says, with fcgiwrap between them.
type nginx struct {
	h               *Host
	nginx, fcgiwrap string
	backend         string // git-http-backend
	front, bridge   *process
}

func newNginx(h *Host) *nginx {
	n := &nginx{h: h, nginx: Need(h.t, "nginx", "nginx-light"), fcgiwrap: Need(h.t, "fcgiwrap", "fcgiwrap")}
	n.backend = filepath.Join(execPath(h), "git-http-backend")
	return n
}

func execPath(h *Host) string {
	out, err := exec.Command("git", "--exec-path").Output()
	if err != nil {
		h.t.Fatal(err)
	}
	return strings.TrimSpace(string(out))
}

// bridges is how many requests are worked on at a time.
const bridges = "8"

func (n *nginx) start() error {
	home := n.h.home
	socket := filepath.Join(home, "fcgi")
	if err := os.Remove(socket); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	var err error
	n.bridge, err = startProcess(filepath.Join(home, "fcgiwrap.log"), n.h.GitEnv(), n.fcgiwrap, "-f", "-c", bridges, "-s", "unix:"+socket)
	if err != nil {
		return err
	}
	if err := n.bridge.await("unix", socket); err != nil {
		return fmt.Errorf("fcgiwrap: %w", err)
	}
	config := n.h.write("nginx.conf", []byte(n.config(socket)))
	n.front, err = startProcess(filepath.Join(home, "nginx.log"), nil, n.nginx, "-p", home, "-e", "stderr", "-c", config)
	if err != nil {
		return err
	}
	if err := n.front.await("tcp", n.h.Addr); err != nil {
		return fmt.Errorf("nginx: %w", err)
	}
	return nil
}

func (n *nginx) stop() error {
	var errs []error
	for _, p := range []*process{n.front, n.bridge} {
		if p != nil {
			errs = append(errs, p.end())
		}
	}
	n.front, n.bridge = nil, nil
	return errors.Join(errs...)
}

func (n *nginx) config(socket string) string {
	h := n.h
	listen, guard := h.Addr, ""
	if h.Kind != ClientCert {
		h.write("htpasswd", []byte(User+":{PLAIN}"+Password+"\n"))
		// nginx's own name for the protected space is of no matter.
		guard = "auth_basic git; auth_basic_user_file htpasswd;"
	}
	if h.Kind != PlainHTTP {
		listen += " ssl"
		h.write("server.pem", h.keys.server)
		h.write("server.key", h.keys.serverKey)
		guard += " ssl_certificate server.pem; ssl_certificate_key server.key;"
	}
	switch h.Kind {
	case HTTPBackend:
		listen += " http2"
	case ClientCert:
		h.write("ca.pem", h.keys.caPEM)
		guard += " ssl_client_certificate ca.pem; ssl_verify_client on; ssl_protocols TLSv1.3;"
	}
	return lines(
		"daemon off; master_process off; pid nginx.pid; error_log stderr;",
		"events { worker_connections 512; }",
		"http {",
		"  access_log off; client_max_body_size 0;",
		"  client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi; uwsgi_temp_path uwsgi; scgi_temp_path scgi;",
		"  server {",
		"    listen "+listen+"; "+guard,
		"    location / {",
		"      fastcgi_pass unix:"+socket+"; fastcgi_read_timeout 600;",
		"      fastcgi_param SCRIPT_FILENAME "+n.backend+";",
		"      fastcgi_param GIT_PROJECT_ROOT "+h.home+";",
		"      fastcgi_param GIT_HTTP_EXPORT_ALL 1;",
		"      fastcgi_param GIT_CONFIG_NOSYSTEM 1;",
		"      fastcgi_param HOME "+h.home+";",
		"      fastcgi_param PATH "+os.Getenv("PATH")+";",
		"      fastcgi_param PATH_INFO $uri;",
		"      fastcgi_param QUERY_STRING $args;",
		"      fastcgi_param REQUEST_METHOD $request_method;",
		"      fastcgi_param CONTENT_TYPE $content_type;",
		"      fastcgi_param CONTENT_LENGTH $content_length;",
		"      fastcgi_param REMOTE_USER $remote_user;",
		"      fastcgi_param REMOTE_ADDR $remote_addr;",
		// Header fields arrive as HTTP_*, among them Git-Protocol.
		"    }", "  }", "}")
}
