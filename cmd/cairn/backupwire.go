package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"strings"
	"time"

	"golang.org/x/crypto/ssh"

	"cairn/cmd/setup"
	"cairn/libos"
	"cairn/net/certs"
	"cairn/services/config"
	"cairn/store/gitwire"
)

// A backupPlace says where a backup is, and how to log in.
type backupPlace struct {
	URL          string `arg:"" name:"url" help:"The repository: https, http or ssh. A password in it is kept encrypted."`
	PasswordFile string `help:"A file with the password of the URL's user, so that it is on no command line." placeholder:"FILE"`
	HostKey      string `help:"The key of an ssh host, as ssh-keyscan prints it: 'ssh-ed25519 AAAA…'." placeholder:"KEY"`
}

// parse returns the URL, and the login as "user:password" where there is one.
func (p backupPlace) parse() (plain, login string, err error) {
	plain, login, err = backupURL(p.URL)
	if err != nil || p.PasswordFile == "" {
		return plain, login, err
	}
	if strings.HasPrefix(plain, "ssh:") {
		return "", "", errors.New("--password-file goes with an https or http address: over ssh it is a key that logs in")
	}
	password, err := os.ReadFile(p.PasswordFile)
	if err != nil {
		return "", "", fmt.Errorf("--password-file: %w", err)
	}
	user, _, _ := strings.Cut(login, ":")
	if user == "" {
		user = "git"
	}
	return plain, user + ":" + strings.TrimRight(string(password), "\r\n"), nil
}

// backupURL parts a URL from the login in it, except the user of an ssh host, which stays.
func backupURL(raw string) (plain, login string, err error) {
	if u, err := url.Parse(raw); err == nil && u.Scheme == "ssh" && u.Host != "" {
		return raw, "", nil
	}
	if plain, login, err = splitLogin(raw); err != nil {
		return "", "", errors.New("a backup's address is an https, http or ssh URL, such as https://forge.example/me/backup.git or ssh://git@forge.example/me/backup.git")
	}
	return plain, login, nil
}

// backupClient speaks to a backup's host. login is "user:password", or empty.
func (h *house) backupClient(n libos.Net, b config.Backup, login string) (*gitwire.Client, error) {
	c := &gitwire.Client{}
	c.User, c.Password, _ = strings.Cut(login, ":")
	if !strings.HasPrefix(b.URL, "ssh://") {
		c.HTTP = setup.Transport(n, certs.ClientConfig(nil))
		return c, nil
	}
	pin, _, _, _, err := ssh.ParseAuthorizedKey([]byte(b.HostKey))
	if err != nil && b.HostKey != "" {
		return nil, fmt.Errorf("the host's key %.40q is not one as `ssh-keyscan` prints it: 'ssh-ed25519 AAAA…'", b.HostKey)
	}
	if err != nil {
		return nil, fmt.Errorf("the host's key is not known: give it with --host-key 'ssh-ed25519 AAAA…'; `ssh-keyscan` prints it, hold it against what the host publishes")
	}
	key, err := h.loginKey()
	if err != nil {
		return nil, err
	}
	c.Dial = n.Dial
	c.SSH = &ssh.ClientConfig{
		User:              "git",
		Auth:              []ssh.AuthMethod{ssh.PublicKeys(key)},
		HostKeyCallback:   ssh.FixedHostKey(pin),
		HostKeyAlgorithms: []string{pin.Type()},
		ClientVersion:     "SSH-2.0-Cairn",
		Timeout:           10 * time.Second,
	}
	if pin.Type() == ssh.KeyAlgoRSA {
		c.SSH.HostKeyAlgorithms = []string{ssh.KeyAlgoRSASHA512, ssh.KeyAlgoRSASHA256}
	}
	return c, nil
}

// backupLogin is the login for a backup, "" where it needs none.
func (h *house) backupLogin(ctx context.Context, name string) (string, error) {
	login, err := h.secrets.Get(ctx, backupSecret(name))
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	return string(login), err
}

// keepBackupLogin replaces the login for a backup; "" removes it.
func (h *house) keepBackupLogin(ctx context.Context, name, login string) error {
	return h.secrets.Update(ctx, operator(), backupSecret(name), func([]byte) ([]byte, error) {
		if login == "" {
			return nil, nil
		}
		return []byte(login), nil
	})
}

// loginKey is the key under which this Cairn logs in at hosts.
func (h *house) loginKey() (ssh.Signer, error) {
	key, err := h.secrets.DeriveEd25519("remote ssh key")
	if err != nil {
		return nil, err
	}
	return ssh.NewSignerFromKey(key)
}

// loginLine is that key as an authorized_keys file takes it.
func (h *house) loginLine() string {
	key, err := h.loginKey()
	if err != nil {
		return err.Error()
	}
	return strings.TrimSpace(string(ssh.MarshalAuthorizedKey(key.PublicKey()))) + " cairn"
}
