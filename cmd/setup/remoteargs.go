package setup

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"cairn/libos"
	"cairn/net/certs"
	"cairn/store/gitwire"
)

// RemoteArgs say which repository somewhere else holds the state, and who we are
// there.
var RemoteArgs = []libos.Arg{
	{Name: "remote", Value: "URL", Env: "CAIRN_REMOTE", Help: "Keep everything in a git repository somewhere else (https, ssh, git); a password may stand in the URL."},
	{Name: "remote-password-file", Kind: libos.File, Env: "CAIRN_REMOTE_PASSWORD_FILE", Needs: "remote", Help: "The password for the URL's user."},
	{Name: "remote-token-file", Kind: libos.File, Env: "CAIRN_REMOTE_TOKEN_FILE", Needs: "remote", Help: "A bearer token, in place of user and password."},
	{Name: "remote-cert", Kind: libos.File, Env: "CAIRN_REMOTE_CERT", Needs: "remote-key", Help: "A client certificate for https (PEM)."},
	{Name: "remote-key", Kind: libos.File, Env: "CAIRN_REMOTE_KEY", Needs: "remote-cert", Help: "And its key."},
	{Name: "remote-ca", Kind: libos.File, Env: "CAIRN_REMOTE_CA", Needs: "remote", Help: "Who else may vouch for the host's certificate (PEM)."},
	{Name: "remote-ssh-key", Kind: libos.File, Env: "CAIRN_REMOTE_SSH_KEY", Needs: "remote", Help: "The key to log in with over ssh; by itself one that follows from the seed."},
	{Name: "remote-host-key", Kind: libos.Repeated, Value: "'TYPE BASE64'", Env: "CAIRN_REMOTE_HOST_KEY", Needs: "remote", Help: "The host's key over ssh, as ssh-keyscan prints it."},
	{Name: "remote-known-hosts", Kind: libos.File, Env: "CAIRN_REMOTE_KNOWN_HOSTS", Needs: "remote", Help: "A known_hosts file that has the host's key."},
	{Name: "remote-lazy", Kind: libos.Bool, Needs: "remote", Help: "Leave files at the host until somebody asks for them: a quick start, but what nobody has asked for is not to be had while the host is away."},
	{Name: "remote-memory", Value: "MIB", Needs: "remote", Help: "How much memory the repository may take without a folder, in MiB; by itself 64, or less on a small machine."},
	{Name: "poll", Kind: libos.Duration, Default: "800ms", Needs: "remote", Help: "How often a host is asked for news that does not tell by itself."},
	{Name: "trust", Kind: libos.Files, Value: "KEYFILE", Env: "CAIRN_TRUST", Needs: "remote", Help: "Follow only commits signed by a key in this file, or by our own."},
	{Name: "expect", Kind: libos.Repeated, Value: "COMMIT", Env: "CAIRN_EXPECT", Needs: "remote", Help: "A commit that the host must have, against a roll-back while nobody looked."},
	{Name: "accept", Kind: libos.Repeated, Value: "COMMIT", Needs: "remote", Help: "A commit that a branch may be at although it was rewound or force-pushed at the host: you have looked at it."},
}

// RemotePeer is who RemoteArgs make a service dial.
var RemotePeer = libos.Peer{Arg: "remote", Why: "it holds the repository"}

// Client returns what speaks to the repository of --remote, and its URL. Logging in by
// ssh may need a key that follows from the seed; nil is none.
func Client(env libos.Env, seed *Seed) (*gitwire.Client, string, error) {
	c := &gitwire.Client{Dial: env.Net.Dial}
	raw := env.Args.String("remote")
	u, err := url.Parse(raw)
	if err != nil || u.Scheme == "ssh" || u.Host == "" {
		c.SSH, err = sshConfig(env, raw, seed)
		return c, raw, err
	}
	if u.Scheme == "git" {
		return c, raw, nil
	}
	if c.HTTP, err = carrier(env, u.Scheme); err != nil {
		return nil, "", err
	}
	if c.Token, err = secretFile(env, "remote-token-file"); err != nil {
		return nil, "", err
	}
	password, err := secretFile(env, "remote-password-file")
	if err != nil {
		return nil, "", err
	}
	if password != "" {
		user := "git"
		if u.User != nil {
			user = u.User.Username()
		}
		u.User = url.UserPassword(user, password)
	}
	return c, u.String(), nil
}

// secretFile reads a short secret from a file, "" if none is named.
func secretFile(env libos.Env, name string) (string, error) {
	file := env.Args.String(name)
	if file == "" {
		return "", nil
	}
	data, err := env.ReadFile(file)
	if err != nil {
		return "", fmt.Errorf("--%s: %w", name, err)
	}
	secret := strings.TrimRight(string(data), "\r\n")
	if secret == "" {
		return "", fmt.Errorf("--%s: %s is empty", name, file)
	}
	return secret, nil
}

// Transport carries HTTP to hosts of repositories, and nowhere by a proxy.
func Transport(n libos.Net, config *tls.Config) *http.Transport {
	return &http.Transport{
		DialContext:            n.Dial,
		TLSClientConfig:        config,
		ForceAttemptHTTP2:      true,
		DisableCompression:     true, // packs are compressed
		TLSHandshakeTimeout:    10 * time.Second,
		IdleConnTimeout:        90 * time.Second,
		MaxIdleConnsPerHost:    4,
		MaxResponseHeaderBytes: 64 << 10,
	}
}

// carrier carries HTTP to a host whose URL has that scheme.
func carrier(env libos.Env, scheme string) (http.RoundTripper, error) {
	if scheme == "http" && !env.Args.Given("remote-ca") && !env.Args.Given("remote-cert") {
		return newPlainTransport(env.Net), nil
	}
	config, err := clientTLS(env)
	if err != nil {
		return nil, err
	}
	return Transport(env.Net, config), nil
}

func clientTLS(env libos.Env) (*tls.Config, error) {
	config := certs.ClientConfig(nil)
	if file := env.Args.String("remote-ca"); file != "" {
		roots, err := rootsAnd(env, file)
		if err != nil {
			return nil, fmt.Errorf("--remote-ca: %w", err)
		}
		config.RootCAs = roots
	}
	if file := env.Args.String("remote-cert"); file != "" {
		pair, err := keyPair(env, file, env.Args.String("remote-key"))
		if err != nil {
			return nil, fmt.Errorf("--remote-cert: %w", err)
		}
		config.Certificates = []tls.Certificate{pair}
	}
	return config, nil
}

// keyPair reads a certificate and its key.
func keyPair(env libos.Env, certFile, keyFile string) (tls.Certificate, error) {
	cert, err := env.ReadFile(certFile)
	if err != nil {
		return tls.Certificate{}, err
	}
	key, err := env.ReadFile(keyFile)
	if err != nil {
		return tls.Certificate{}, err
	}
	return tls.X509KeyPair(cert, key)
}

// rootsAnd are the authorities that are trusted anyway and those of a file.
func rootsAnd(env libos.Env, file string) (*x509.CertPool, error) {
	pem, err := env.ReadFile(file)
	if err != nil {
		return nil, err
	}
	roots := certs.Roots().Clone()
	if !roots.AppendCertsFromPEM(pem) {
		return nil, errors.New(file + " holds no certificate")
	}
	return roots, nil
}
