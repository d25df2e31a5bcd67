package acme

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"cairn/net/certs"
)

// A faulty storage fails when it is told to, and counts its changes.
type faulty struct {
	Memory
	fail    func() error // nil: never
	updates int
}

func (f *faulty) Update(ctx context.Context, key string, edit func([]byte) ([]byte, error)) error {
	f.updates++
	if f.fail != nil {
		if err := f.fail(); err != nil {
			return err
		}
	}
	return f.Memory.Update(ctx, key, edit)
}

const folder = "certificates/ca/example.org"

// files are certmagic's three files of a certificate from a seed.
func files(t testing.TB, seed byte) map[string]string {
	t.Helper()
	a, err := certs.FromSeed([32]byte{seed}, "example.org")
	if err != nil {
		t.Fatal(err)
	}
	return map[string]string{".key": string(keyPEM(t, a)), ".crt": string(certPEM(a)), ".json": `{"sans":["example.org"]}`}
}

func storeFiles(t testing.TB, s *magicStorage, files map[string]string) error {
	t.Helper()
	for _, ext := range []string{".key", ".crt", ".json"} {
		if err := s.Store(t.Context(), folder+"/example.org"+ext, []byte(files[ext])); err != nil {
			return err
		}
	}
	return nil
}

// All of a certificate is there or none of it, in one change.
func TestBundle(t *testing.T) {
	storage := &faulty{}
	s := &magicStorage{storage: storage}
	old, renewed := files(t, 1), files(t, 2)
	if err := storeFiles(t, s, old); err != nil {
		t.Fatal(err)
	}
	if storage.updates != 1 {
		t.Errorf("changes of the storage: got %d, want 1", storage.updates)
	}
	check := func(want map[string]string) {
		t.Helper()
		for ext, want := range want {
			key := folder + "/example.org" + ext
			if got, err := s.Load(t.Context(), key); string(got) != want || err != nil || !s.Exists(t.Context(), key) {
				t.Errorf("%s: got %q, %v, want %q", ext, got, err, want)
			}
		}
		if _, err := loadCertificate(t.Context(), storage, folder); err != nil {
			t.Error(err)
		}
	}
	for _, ext := range []string{".key", ".crt"} {
		if err := s.Store(t.Context(), folder+"/example.org"+ext, []byte(renewed[ext])); err != nil {
			t.Fatal(err)
		}
		check(old)
	}
	for _, ext := range []string{".key", ".crt"} { // as certmagic takes back what it could not complete
		if err := s.Delete(t.Context(), folder+"/example.org"+ext); err != nil {
			t.Fatal(err)
		}
		check(old)
	}
	if err := storeFiles(t, s, renewed); err != nil {
		t.Fatal(err)
	}
	check(renewed)
	for _, key := range []string{"rw_test_1", "certificates/ca/a/b.key", "certificates/ca/a/a.pem", "ocsp/x"} {
		if err := s.Store(t.Context(), key, nil); !errors.Is(err, errors.ErrUnsupported) {
			t.Errorf("store %s: got %v, want errors.ErrUnsupported", key, err)
		}
	}
}

// A certificate that was got is not lost to a storage that is away for a minute.
func TestBundlePatience(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start, away := time.Now(), errors.New("away")
		storage := &faulty{fail: func() error {
			if time.Since(start) < time.Minute {
				return away
			}
			return nil
		}}
		s := &magicStorage{storage: storage}
		if err := storeFiles(t, s, files(t, 1)); err != nil {
			t.Fatal(err)
		}
		if _, err := loadCertificate(t.Context(), storage, folder); err != nil {
			t.Error(err)
		}
		storage.fail = func() error { return away }
		if err := storeFiles(t, s, files(t, 2)); !errors.Is(err, away) {
			t.Errorf("got %v, want the storage's error", err)
		}
		if took := time.Since(start); took > 10*time.Minute {
			t.Errorf("given up after %v", took)
		}
	})
}

// A certificate that arrives while all is being shut down is stored.
func TestBundleAtTheEnd(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	storage := &Memory{}
	s := &magicStorage{storage: storage}
	for ext, data := range files(t, 1) {
		if err := s.Store(ctx, folder+"/example.org"+ext, []byte(data)); err != nil {
			t.Error(err)
		}
	}
	if _, err := loadCertificate(t.Context(), storage, folder); err != nil {
		t.Error(err)
	}
}

// What is broken in the storage is known as such, and removed only if it is.
func TestBroken(t *testing.T) {
	good := files(t, 1)
	mixed := map[string]string{".key": files(t, 2)[".key"], ".crt": good[".crt"], ".json": good[".json"]}
	storage := &Memory{}
	for _, data := range []string{"", "{}", "null", encode(t, mixed), strings.Replace(encode(t, good), `{\"sans\"`, `{\"sans`, 1)} {
		set(t, storage, folder, []byte(data))
		if _, err := loadCertificate(t.Context(), storage, folder); !errors.Is(err, errBroken) {
			t.Errorf("%.60q: got %v, want errBroken", data, err)
		}
		if err := removeBroken(t.Context(), storage, folder); err != nil {
			t.Error(err)
		}
		if _, err := loadCertificate(t.Context(), storage, folder); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%.60q: got %v, want fs.ErrNotExist", data, err)
		}
	}
	set(t, storage, folder, []byte(encode(t, good)))
	if err := removeBroken(t.Context(), storage, folder); err != nil {
		t.Error(err)
	}
	if _, err := loadCertificate(t.Context(), storage, folder); err != nil {
		t.Errorf("a good one: %v", err)
	}
}

func encode(t testing.TB, v any) string {
	t.Helper()
	data, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func FuzzCertificate(f *testing.F) {
	f.Add([]byte(encode(f, files(f, 1))))
	f.Add([]byte(`{".key":"a",".crt":"b",".json":"c"}`))
	f.Add([]byte("null"))
	f.Fuzz(func(t *testing.T, data []byte) {
		cert, err := parseCertificate(data)
		if err != nil && !errors.Is(err, errBroken) {
			t.Errorf("got %v, want errBroken", err)
		}
		if err == nil {
			cert.due()
			cert.ask()
		}
	})
}
