package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/crypto/ssh"

	"cairn/cmd/setup"
	"cairn/libos"
	"cairn/net/certs"
	"cairn/services/config"
	"cairn/store/gitwire"
	"cairn/store/mirror"
	"cairn/store/observe"
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

// mirrors keep the backups up to date, one Mirror a backup.
type mirrors struct {
	house *house
	net   libos.Net
	log   *slog.Logger

	wg sync.WaitGroup

	mu      sync.Mutex            // guards what follows
	running map[string]*mirroring // by the backups' names
	broken  map[string]error      // those that cannot be kept
}

// A mirroring is a backup that is kept.
type mirroring struct {
	backup config.Backup
	login  string
	mirror *mirror.Mirror
	stop   context.CancelFunc
}

// set keeps exactly the backups given, until ctx ends.
func (m *mirrors) set(ctx context.Context, backups []config.Backup) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.broken = map[string]error{}
	want := map[string]bool{}
	for _, b := range backups {
		want[b.Name] = true
		if err := m.keep(ctx, b); err != nil {
			m.log.Error("backup cannot be kept", "backup", b.Name, "err", err)
			m.broken[b.Name] = err
		}
	}
	for name := range m.running {
		if !want[name] {
			m.end(name)
		}
	}
}

// end keeps a backup no longer.
func (m *mirrors) end(name string) {
	m.running[name].stop()
	delete(m.running, name)
}

// keep begins to keep a backup. One that is kept goes on, unless it or its login has changed.
func (m *mirrors) keep(ctx context.Context, b config.Backup) error {
	login, err := m.house.backupLogin(ctx, b.Name)
	if err != nil || ctx.Err() != nil {
		return err
	}
	if r := m.running[b.Name]; r != nil {
		if r.backup == b && r.login == login {
			return nil
		}
		m.end(b.Name)
	}
	client, err := m.house.backupClient(m.net, b, login)
	if err != nil {
		return err
	}
	to, err := client.Remote(b.URL)
	if err != nil {
		return err
	}
	ctx, stop := context.WithCancel(ctx)
	r := &mirroring{b, login, &mirror.Mirror{From: m.house.repo.Backend(), To: to, Log: m.log.With("backup", b.Name)}, stop}
	m.running[b.Name] = r
	m.wg.Go(func() {
		r.mirror.Run(ctx)
		if t, ok := client.HTTP.(*http.Transport); ok {
			t.CloseIdleConnections()
		}
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
	if c.Err != nil {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, r := range m.running {
		r.mirror.Changed(c.Changes)
	}
}

// wrong says which backups are behind for a reason.
func (m *mirrors) wrong() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	var errs []error
	for _, name := range slices.Sorted(maps.Keys(m.broken)) {
		errs = append(errs, fmt.Errorf("%s cannot be kept: %w", name, m.broken[name]))
	}
	for _, name := range slices.Sorted(maps.Keys(m.running)) {
		if s := m.running[name].mirror.Status(); s.Err != nil {
			errs = append(errs, fmt.Errorf("%s is behind since %s: %w", name, s.Behind.UTC().Format(time.RFC3339), s.Err))
		}
	}
	return errors.Join(errs...)
}

// behind is for how long the backup that is behind most has been.
func (m *mirrors) behind() time.Duration {
	m.mu.Lock()
	defer m.mu.Unlock()
	var most time.Duration
	for _, r := range m.running {
		if s := r.mirror.Status(); !s.Behind.IsZero() {
			most = max(most, time.Since(s.Behind))
		}
	}
	return most
}
