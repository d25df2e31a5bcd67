package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync"

	"golang.org/x/crypto/ssh"

	"cairn/libos"
	"cairn/services/config"
	"cairn/store/gitwire"
	"cairn/store/mirror"
	"cairn/store/observe"
)

// backupURL parts a URL from the login in it, except the user of an ssh host, which stays.
func backupURL(raw string) (plain, login string, err error) {
	if u, err := url.Parse(raw); err == nil && u.Scheme == "ssh" && u.Host != "" {
		return raw, "", nil
	}
	if plain, login, err = splitLogin(raw); err != nil {
		return "", "", fmt.Errorf("%q is not an https, http or ssh URL", raw)
	}
	return plain, login, nil
}

// backupClient speaks to a backup's host. login is "user:password", or empty.
func (h *house) backupClient(n libos.Net, b config.Backup, login string) (*gitwire.Client, error) {
	c := &gitwire.Client{}
	c.User, c.Password, _ = strings.Cut(login, ":")
	if !strings.HasPrefix(b.URL, "ssh://") {
		c.HTTP = &http.Transport{DialContext: n.Dial, ForceAttemptHTTP2: true}
		return c, nil
	}
	pin, _, _, _, err := ssh.ParseAuthorizedKey([]byte(b.HostKey))
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
	}
	if pin.Type() == ssh.KeyAlgoRSA {
		c.SSH.HostKeyAlgorithms = []string{ssh.KeyAlgoRSASHA512, ssh.KeyAlgoRSASHA256}
	}
	return c, nil
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

// mirrors keep the backups up to date, one Mirror a backup.
type mirrors struct {
	house *house
	net   libos.Net
	log   *slog.Logger

	wg sync.WaitGroup

	mu      sync.Mutex // guards running
	running map[config.Backup]*mirroring
}

type mirroring struct {
	mirror *mirror.Mirror
	stop   context.CancelFunc
}

// set keeps exactly the backups given, until ctx ends.
func (m *mirrors) set(ctx context.Context, backups []config.Backup) {
	m.mu.Lock()
	defer m.mu.Unlock()
	want := map[config.Backup]bool{}
	for _, b := range backups {
		want[b] = true
		if m.running[b] != nil || ctx.Err() != nil {
			continue
		}
		if err := m.start(ctx, b); err != nil {
			m.log.Error("backup cannot be kept", "backup", b.Name, "err", err)
		}
	}
	for b, r := range m.running {
		if !want[b] {
			r.stop()
			delete(m.running, b)
		}
	}
}

func (m *mirrors) start(ctx context.Context, b config.Backup) error {
	login, err := m.house.secrets.Get(ctx, backupSecret(b.Name))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	client, err := m.house.backupClient(m.net, b, string(login))
	if err != nil {
		return err
	}
	to, err := client.Remote(b.URL)
	if err != nil {
		return err
	}
	ctx, stop := context.WithCancel(ctx)
	r := &mirroring{&mirror.Mirror{From: m.house.repo.Backend(), To: to, Log: m.log.With("backup", b.Name)}, stop}
	m.running[b] = r
	m.wg.Go(func() {
		r.mirror.Run(ctx)
		if err := to.Close(); err != nil {
			m.log.Warn("connection to a backup", "backup", b.Name, "err", err)
		}
	})
	return nil
}

// wait returns when all have stopped; their contexts have to have ended.
func (m *mirrors) wait() { m.wg.Wait() }

// committed tells all that refs have moved.
func (m *mirrors) committed(c observe.Commit) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, r := range m.running {
		if c.Err == nil {
			r.mirror.Changed(c.Changes)
		}
	}
}

// wrong says which backups are behind for a reason.
func (m *mirrors) wrong() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	var errs []error
	for b, r := range m.running {
		if s := r.mirror.Status(); s.Err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", b.Name, s.Err))
		}
	}
	return errors.Join(errs...)
}
