package accounts

import (
	"reflect"
	"strings"
	"testing"

	"cairn/services/tomlfile"
	"time"
)

const (
	testHash = "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc"
	testKeys = "SCRAM-SHA-256$4096:AAAAAAAAAAAAAAAAAAAAAA==$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
	saltier  = "SCRAM-SHA-256$4096:BBBBBBBBBBBBBBBBBBBBBA==$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
)

func TestRecordRoundTrip(t *testing.T) {
	want := record{
		User: User{
			Name: "alice", DisplayName: "Alice Liddell", Addresses: []string{"alice@example.org"}, Admin: true, Sites: true,
			SSHKeys: []string{keyLine(t, "laptop"), keyLine(t, "")},
			AppPasswords: []AppPassword{
				{"phone", time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC), testKeys},
				{`the "big" one`, time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC), testKeys},
			},
		},
		Password: testHash,
	}
	for _, want := range []record{want, {User: User{Name: "alice"}}} {
		data, err := want.encode()
		if err != nil {
			t.Fatal(err)
		}
		got, err := decode("alice", data, true)
		if err != nil || !reflect.DeepEqual(*got, want) {
			t.Errorf("got %+v, %v, want %+v; in between\n%s", got, err, want, data)
		}
	}
}

func TestRecordRefused(t *testing.T) {
	app := func(name, keys string) string {
		return "[[app_password]]\nname = \"" + name + "\"\ncreated = 2026-11-21T12:00:00Z\nkeys = \"" + keys + "\"\n"
	}
	for what, c := range map[string]struct{ name, text string }{
		"name":              {"Alice", ""},
		"name with slash":   {"a/b", ""},
		"dot dot":           {"..", ""},
		"empty name":        {"", ""},
		"newline after":     {"alice\n", ""},
		"hyphen first":      {"-alice", ""},
		"other script":      {"аlice", ""}, // Cyrillic а
		"long name":         {strings.Repeat("x", 33), ""},
		"not TOML":          {"alice", "admin: yes"},
		"type":              {"alice", `admin = "yes"`},
		"unknown key":       {"alice", "amdin = true"},
		"key twice":         {"alice", "admin = true\nadmin = true"},
		"plain password":    {"alice", `password = "correct horse"`},
		"dear password":     {"alice", `password = "$argon2id$v=19$m=4194304,t=9,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc"`},
		"SSH key":           {"alice", `ssh_keys = ["ssh-ed25519 AAAA"]`},
		"SSH option":        {"alice", `ssh_keys = ["no-pty ` + keyLine(t, "") + `"]`},
		"OpenPGP key":       {"alice", `openpgp_keys = ["hello"]`},
		"app keys":          {"alice", app("phone", "x")},
		"app name":          {"alice", app("", testKeys)},
		"app name twice":    {"alice", app("phone", testKeys) + app("phone", testKeys)},
		"another salt":      {"alice", app("phone", testKeys) + app("tablet", saltier)},
		"author's line":     {"alice", `name = "A <root@localhost>"`},
		"author's newline":  {"alice", `name = "A\nB"`},
		"address":           {"alice", `addresses = ["alice"]`},
		"address's newline": {"alice", `addresses = ["alice@example.org\nx"]`},
		"too large":         {"alice", "#" + strings.Repeat("x", tomlfile.MaxBytes)},
		"dotted key":        {"alice", "a" + strings.Repeat(".a", 30000) + " = 1"},
		"nested tables":     {"alice", "a = " + strings.Repeat("{a=", 20000)},
		"nested lists":      {"alice", "a = " + strings.Repeat("[", 60000)},
	} {
		if r, err := decode(c.name, []byte(c.text), true); err == nil {
			t.Errorf("%s: was accepted as %+v", what, r)
		}
	}
}

func FuzzRecord(f *testing.F) {
	f.Add([]byte("name = \"Alice\"\nadmin = true\npassword = \"" + testHash + "\"\nssh_keys = [\"" + keyLine(f, "x") + "\"]\n" +
		"[[app_password]]\nname = \"phone\"\ncreated = 2026-11-21T12:00:00Z\nkeys = \"" + testKeys + "\"\n"))
	f.Add([]byte("addresses = [\"a@b\"]\nopenpgp_keys = [\"\"\"-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nmDM=\n-----END PGP PUBLIC KEY BLOCK-----\"\"\"]\n"))
	f.Add([]byte("a" + strings.Repeat(".a", 3000) + " = 1"))
	f.Fuzz(func(t *testing.T, data []byte) {
		_, tolerant := decode("alice", data, false)
		r, err := decode("alice", data, true)
		if err != nil {
			return
		}
		if tolerant != nil {
			t.Errorf("%q passes as a push and cannot be read: %v", data, tolerant)
		}
		again, err := r.encode()
		if err != nil {
			t.Fatalf("%q is read as %+v, which cannot be written: %v", data, r, err)
		}
		if _, err := decode("alice", again, true); err != nil {
			t.Fatalf("%q is written as %q: %v", data, again, err)
		}
	})
}

func FuzzPasswordHashes(f *testing.F) {
	f.Add(testHash)
	f.Add(testKeys)
	f.Fuzz(func(t *testing.T, s string) {
		if h, err := parsePHC(s); err == nil && (h.String() != s || !h.sane()) {
			t.Errorf("%q is read as %v", s, h)
		}
		if k, err := parseScram(s); err == nil && k.String() != s {
			t.Errorf("%q is read as %v", s, k)
		}
	})
}
