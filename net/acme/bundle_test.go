package acme

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"maps"
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

// files are the parts of a certificate from a seed.
func files(t testing.TB, seed byte) bundle {
	t.Helper()
	a, err := certs.FromSeed([32]byte{seed}, "example.org")
	if err != nil {
		t.Fatal(err)
	}
	return bundle{".key": string(keyPEM(t, a)), ".crt": string(certPEM(a)), ".json": `{"sans":["example.org"]}`}
}

// All of a certificate is stored in one change, and read again as it was.
func TestBundle(t *testing.T) {
	storage := &faulty{}
	for seed := range byte(2) {
		want := files(t, seed)
		storage.updates = 0
		if err := save(t.Context(), storage, folder, want); err != nil {
			t.Fatal(err)
		}
		if storage.updates != 1 {
			t.Errorf("changes of the storage: got %d, want 1", storage.updates)
		}
		data, err := storage.Load(t.Context(), folder)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := parseBundle(data); err != nil || !maps.Equal(got, want) {
			t.Errorf("got %v, %v, want %v", got, err, want)
		}
		if _, err := loadCertificate(t.Context(), storage, folder); err != nil {
			t.Error(err)
		}
	}
}

// Keys of the storage stay what they were: certificates that are there are found.
func TestFolder(t *testing.T) {
	m := &Manager{ca: caKey(LetsEncrypt)}
	for name, want := range map[string]string{
		"example.org":             "certificates/acme-v02.api.letsencrypt.org-2fdirectory/example.org",
		"*.example.org":           "certificates/acme-v02.api.letsencrypt.org-2fdirectory/wildcard_.example.org",
		"xn--bcher-kva.example":   "certificates/acme-v02.api.letsencrypt.org-2fdirectory/xn--bcher-kva.example",
		"../../etc/a b+c:D\x00\n": "certificates/acme-v02.api.letsencrypt.org-2fdirectory/etca_b_plus_c-d",
	} {
		if got := m.folder(name); got != want {
			t.Errorf("%q: got %s, want %s", name, got, want)
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
		if err := save(t.Context(), storage, folder, files(t, 1)); err != nil {
			t.Fatal(err)
		}
		if _, err := loadCertificate(t.Context(), storage, folder); err != nil {
			t.Error(err)
		}
		storage.fail = func() error { return away }
		if err := save(t.Context(), storage, folder, files(t, 2)); !errors.Is(err, away) {
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
	if err := save(ctx, storage, folder, files(t, 1)); err != nil {
		t.Error(err)
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
