package setup

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strings"
	"time"

	"golang.org/x/crypto/ssh"

	"cairn/libos"
)

// sshConfig is how to log in over ssh: with a key, to a host whose key is known.
func sshConfig(env libos.Env, rawURL string, seed *Seed) (*ssh.ClientConfig, error) {
	key, err := loginKey(env, seed)
	if err != nil {
		return nil, err
	}
	check, algorithms, err := hostKeys(env, sshAddress(rawURL))
	if err != nil {
		return nil, err
	}
	return &ssh.ClientConfig{
		User:              "git",
		Auth:              []ssh.AuthMethod{ssh.PublicKeys(key)},
		HostKeyCallback:   check,
		HostKeyAlgorithms: algorithms,
		ClientVersion:     "SSH-2.0-Cairn",
		Timeout:           10 * time.Second,
	}, nil
}

// loginKey is the key of --remote-ssh-key, or the one that follows from the seed.
func loginKey(env libos.Env, seed *Seed) (ssh.Signer, error) {
	file := env.Args.String("remote-ssh-key")
	if file == "" && seed == nil {
		return nil, errors.New("logging in by ssh needs a key: --remote-ssh-key, or a seed that one follows from")
	}
	if file == "" {
		return remoteKey(*seed)
	}
	pem, err := env.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("--remote-ssh-key: %w", err)
	}
	key, err := ssh.ParsePrivateKey(pem)
	if _, locked := errors.AsType[*ssh.PassphraseMissingError](err); locked {
		return nil, fmt.Errorf("--remote-ssh-key: %s has a passphrase, which nobody is there to type: make a key without one (ssh-keygen -N '')", file)
	}
	if err != nil {
		return nil, fmt.Errorf("--remote-ssh-key: %s: %w", file, err)
	}
	return key, nil
}

// remoteKey is the key that logs in at the host of the repository when no other is
// given.
func remoteKey(seed Seed) (ssh.Signer, error) {
	s, err := seed.derive()
	if err != nil {
		return nil, err
	}
	key, err := s.DeriveEd25519("remote ssh key")
	if err != nil {
		return nil, err
	}
	return ssh.NewSignerFromKey(key)
}

// LoginKey is the public key that has to be let in at the host of --remote, as a
// line of authorized_keys; "" where we log in otherwise or with a key that was given.
func LoginKey(args libos.Args, seed Seed) (string, error) {
	u, err := url.Parse(args.String("remote"))
	if err == nil && u.Host != "" && u.Scheme != "ssh" || args.Given("remote-ssh-key") {
		return "", nil
	}
	key, err := remoteKey(seed)
	if err != nil {
		return "", err
	}
	return strings.TrimSpace(string(ssh.MarshalAuthorizedKey(key.PublicKey()))), nil
}

// hostKeys are which keys the host may show, and the algorithms of those.
func hostKeys(env libos.Env, address string) (ssh.HostKeyCallback, []string, error) {
	pins := env.Args.Strings("remote-host-key")
	file := env.Args.String("remote-known-hosts")
	switch {
	case len(pins) > 0:
		return pinned(pins)
	case file != "":
		return known(env, file, address)
	default:
		return nil, nil, fmt.Errorf("the key of %s is not known: give it with --remote-host-key, or a file with --remote-known-hosts; `ssh-keyscan` prints it, hold it against what the host publishes", address)
	}
}

func pinned(pins []string) (ssh.HostKeyCallback, []string, error) {
	var keys []ssh.PublicKey
	for _, text := range pins {
		key, _, _, _, err := ssh.ParseAuthorizedKey([]byte(text))
		if err != nil {
			return nil, nil, fmt.Errorf("--remote-host-key is a key such as 'ssh-ed25519 AAAA…', not %q", text)
		}
		keys = append(keys, key)
	}
	return oneOf(keys), algorithms(keys), nil
}

// known checks against a known_hosts file.
func known(env libos.Env, file, address string) (ssh.HostKeyCallback, []string, error) {
	text, err := env.ReadFile(file)
	if err != nil {
		return nil, nil, fmt.Errorf("--remote-known-hosts: %w", err)
	}
	keys, err := knownKeys(text, address)
	if err != nil {
		return nil, nil, fmt.Errorf("--remote-known-hosts: %s: %w", file, err)
	}
	if len(keys) == 0 {
		return nil, nil, fmt.Errorf("--remote-known-hosts: %s has no key of %s: `ssh-keyscan` prints it, hold it against what the host publishes", file, address)
	}
	return oneOf(keys), algorithms(keys), nil
}

// oneOf lets a host show one of the keys.
func oneOf(keys []ssh.PublicKey) ssh.HostKeyCallback {
	return func(host string, _ net.Addr, key ssh.PublicKey) error {
		if slices.ContainsFunc(keys, sameAs(key)) {
			return nil
		}
		return &HostKeyError{host, key}
	}
}

// sameAs reports whether a key is this one.
func sameAs(key ssh.PublicKey) func(ssh.PublicKey) bool {
	return func(k ssh.PublicKey) bool { return string(k.Marshal()) == string(key.Marshal()) }
}

// A HostKeyError says that a host showed another key than the one it is known
// by.
type HostKeyError struct {
	Host string
	Key  ssh.PublicKey
}

func (e *HostKeyError) Error() string {
	return fmt.Sprintf("%s shows the key %s, which is not the one it is known by: somebody may be in between", e.Host, ssh.FingerprintSHA256(e.Key))
}

// algorithms are those that make a host show one of the keys.
func algorithms(keys []ssh.PublicKey) []string {
	var list []string
	for _, k := range keys {
		names := []string{k.Type()}
		if k.Type() == ssh.KeyAlgoRSA {
			names = []string{ssh.KeyAlgoRSASHA512, ssh.KeyAlgoRSASHA256}
		}
		for _, name := range names {
			if !slices.Contains(list, name) {
				list = append(list, name)
			}
		}
	}
	return list
}

// sshAddress is the host:port of an ssh URL or of user@host:path.
func sshAddress(raw string) string {
	if u, err := url.Parse(raw); err == nil && u.Host != "" {
		port := u.Port()
		if port == "" {
			port = "22"
		}
		return net.JoinHostPort(u.Hostname(), port)
	}
	host, _, _ := strings.Cut(raw, ":")
	_, after, ok := strings.Cut(host, "@")
	if ok {
		host = after
	}
	return net.JoinHostPort(host, "22")
}
