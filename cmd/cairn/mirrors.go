package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"sync"
	"time"

	"cairn/libos"
	"cairn/services/config"
	"cairn/store/mirror"
	"cairn/store/observe"
)

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
