package acme

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/caddyserver/certmagic"
)

// magicStorage is a Storage as certmagic sees it. certmagic writes a certificate
// as three files, one after the other. Here they are one, written once all
// three are known, so that neither a replica nor a restart finds a new key beside
// an old certificate.
type magicStorage struct {
	storage Storage
	locks   *locks

	mu      sync.Mutex
	pending map[string]bundle // by folder
}

// A bundle is a certificate in the storage: certmagic's three files by their
// extensions ".key" and ".crt", which are PEM, and ".json".
type bundle map[string]string

var parts = []string{".crt", ".json", ".key"}

// patience is how long a certificate that was just got is held in memory while
// the storage is away.
const patience = 2 * time.Minute

var _ certmagic.Storage = (*magicStorage)(nil)

// split takes a key of certmagic's apart: "certificates/CA/NAME/NAME.key".
func split(key string) (folder, ext string, err error) {
	p := strings.Split(key, "/")
	if len(p) == 4 && p[0] == "certificates" {
		if ext := strings.TrimPrefix(p[3], p[2]); slices.Contains(parts, ext) {
			return strings.Join(p[:3], "/"), ext, nil
		}
	}
	return "", "", fmt.Errorf("certificate storage: key %q: %w", key, errors.ErrUnsupported)
}

// Store implements certmagic.Storage.
func (s *magicStorage) Store(ctx context.Context, key string, value []byte) error {
	folder, ext, err := split(key)
	if err != nil {
		return err
	}
	s.mu.Lock()
	if s.pending == nil {
		s.pending = map[string]bundle{}
	}
	b := maps.Clone(s.pending[folder])
	if b == nil {
		b = bundle{}
	}
	b[ext] = string(value)
	s.pending[folder] = b
	s.mu.Unlock()
	if len(b) < len(parts) {
		return nil
	}
	defer s.forget(folder)
	return s.save(ctx, folder, b)
}

func (s *magicStorage) forget(folder string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.pending, folder)
}

// save writes a bundle, also when ctx has ended, and until then tries again for a
// while: the authority does not give many certificates for one name.
func (s *magicStorage) save(ctx context.Context, folder string, b bundle) error {
	data, err := json.Marshal(b)
	if err != nil {
		return err
	}
	save, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
	defer cancel()
	for {
		err := s.storage.Update(save, folder, func([]byte) ([]byte, error) { return data, nil })
		if err == nil || ctx.Err() != nil || sleep(save, time.Second) != nil {
			return err
		}
	}
}

// Load implements certmagic.Storage.
func (s *magicStorage) Load(ctx context.Context, key string) ([]byte, error) {
	folder, ext, err := split(key)
	if err != nil {
		return nil, err
	}
	b, err := loadBundle(ctx, s.storage, folder)
	if err != nil {
		return nil, err
	}
	return []byte(b[ext]), nil
}

// Delete implements certmagic.Storage. certmagic takes back what it stored of a
// certificate that it could not store whole; of this nothing is there yet.
func (s *magicStorage) Delete(_ context.Context, key string) error {
	folder, _, err := split(key)
	s.forget(folder)
	return err
}

// Exists implements certmagic.Storage.
func (s *magicStorage) Exists(ctx context.Context, key string) bool {
	_, err := s.Load(ctx, key)
	return err == nil
}

// List implements certmagic.Storage, which does not need it.
func (s *magicStorage) List(context.Context, string, bool) ([]string, error) {
	return nil, fmt.Errorf("certificate storage: list: %w", errors.ErrUnsupported)
}

// Stat implements certmagic.Storage, which does not need it.
func (s *magicStorage) Stat(context.Context, string) (certmagic.KeyInfo, error) {
	return certmagic.KeyInfo{}, fmt.Errorf("certificate storage: stat: %w", errors.ErrUnsupported)
}

// Lock implements certmagic.Storage.
func (s *magicStorage) Lock(ctx context.Context, name string) error { return s.locks.lock(ctx, name) }

// Unlock implements certmagic.Storage.
func (s *magicStorage) Unlock(ctx context.Context, name string) error {
	return s.locks.unlock(ctx, name)
}

// errBroken says that what is stored of a certificate is of no use.
var errBroken = errors.New("the stored certificate is broken")

func loadBundle(ctx context.Context, s Storage, folder string) (bundle, error) {
	data, err := s.Load(ctx, folder)
	if err != nil {
		return nil, fmt.Errorf("certificate storage: %w", err)
	}
	return parseBundle(data)
}

func parseBundle(data []byte) (bundle, error) {
	var b bundle
	if err := json.Unmarshal(data, &b); err != nil {
		return nil, fmt.Errorf("%w: %w", errBroken, err)
	}
	for _, ext := range parts {
		if b[ext] == "" {
			return nil, fmt.Errorf("%w: it has no %s", errBroken, ext)
		}
	}
	return b, nil
}

// removeBroken removes a bundle that is of no use, if it still is.
func removeBroken(ctx context.Context, s Storage, folder string) error {
	return s.Update(ctx, folder, func(old []byte) ([]byte, error) {
		if _, err := parseCertificate(old); errors.Is(err, errBroken) {
			return nil, nil
		}
		return old, nil
	})
}

// safe returns name as a part of a key.
func safe(name string) string { return certmagic.StorageKeys.Safe(name) }
