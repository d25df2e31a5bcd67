package sealed

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"io"
	"io/fs"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"cairn/services/mail/message"

	"github.com/ProtonMail/go-crypto/openpgp"
	"github.com/ProtonMail/go-crypto/openpgp/armor"
	"github.com/ProtonMail/go-crypto/openpgp/packet"
)

// entity makes a key of an address, and its armored public half.
func entity(t testing.TB, address string) (*openpgp.Entity, string) {
	t.Helper()
	e, err := openpgp.NewEntity("Alice", "", address, &packet.Config{Algorithm: packet.PubKeyAlgoEdDSA})
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	w, err := armor.Encode(&b, openpgp.PublicKeyType, nil)
	if err == nil {
		err = errors.Join(e.Serialize(w), w.Close())
	}
	if err != nil {
		t.Fatal(err)
	}
	return e, b.String()
}

const letter = "Received: from x by y\r\nFrom: Bob <bob@example.net>\r\nTo: alice@example.org\r\nSubject: The plan\r\nX-Secret: yes\r\n" +
	"Message-ID: <1@example.net>\r\nDate: Sat, 21 Nov 2026 12:00:00 +0000\r\nMIME-Version: 1.0\r\nContent-Type: text/plain;\r\n charset=utf-8\r\n\r\nMeet me at nine – alone.\r\n"

const sealedLetter = "Received: from x by y\r\nFrom: Bob <bob@example.net>\r\nTo: alice@example.org\r\nSubject: The plan\r\nX-Secret: yes\r\n" +
	"Message-ID: <1@example.net>\r\nDate: Sat, 21 Nov 2026 12:00:00 +0000\r\nMIME-Version: 1.0\r\nContent-Type: text/plain;\r\n charset=utf-8;\r\n protected-headers=\"v1\"\r\n\r\nMeet me at nine – alone.\r\n"

// ciphertext is the OpenPGP message in a sealed one.
func ciphertext(t testing.TB, raw []byte) []byte {
	t.Helper()
	var types []string
	var text []byte
	for p := range message.Parts(raw) {
		types = append(types, p.Type)
		if p.Type == "application/octet-stream" {
			text = p.Body
		}
	}
	if strings.Join(types, " ") != "multipart/encrypted application/pgp-encrypted application/octet-stream" {
		t.Fatalf("parts %q of\n%s", types, raw)
	}
	return text
}

func TestSeal(t *testing.T) {
	e, key := entity(t, "alice@example.org")
	raw, err := Seal([]byte(letter), []string{key}, rand.Reader, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{"plan", "nine", "X-Secret", "Received"} {
		if bytes.Contains(raw, []byte(secret)) {
			t.Errorf("%q can be read in\n%s", secret, raw)
		}
	}
	head, _ := message.Split(raw)
	h := message.ParseHeader(head)
	if h.Get("From") != "Bob <bob@example.net>" || h.MessageID() != "1@example.net" || h.Get("Subject") != "..." {
		t.Errorf("outside:\n%s", head)
	}
	if bytes.Contains(bytes.ReplaceAll(raw, []byte("\r\n"), nil), []byte("\n")) {
		t.Error("a line ends in LF alone")
	}
	block, err := armor.Decode(bytes.NewReader(ciphertext(t, raw)))
	if err != nil {
		t.Fatal(err)
	}
	m, err := openpgp.ReadMessage(block.Body, openpgp.EntityList{e}, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(m.UnverifiedBody)
	if err != nil || string(got) != sealedLetter {
		t.Errorf("%v, got\n%s", err, got)
	}
	if again, err := Seal(raw, []string{key}, rand.Reader, time.Now()); err != nil || !bytes.Equal(again, raw) {
		t.Errorf("sealed twice: %v", err)
	}
}

// TestGPG: stock gpg decrypts it, to each of two keys, and takes what the directory and the header of
// Autocrypt give.
func TestGPG(t *testing.T) {
	gpg, err := exec.LookPath("gpg")
	if err != nil {
		if os.Getenv("CAIRN_CI") != "" {
			t.Fatal("gpg is missing: install gnupg")
		}
		t.Skip("gpg is not installed")
	}
	home, err := os.MkdirTemp("", "gpg") // a short path: the agent's socket lies in it
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		exec.Command("gpgconf", "--homedir", home, "--kill", "all").Run() // it may have ended by itself
		os.RemoveAll(home)
	})
	run := func(in []byte, args ...string) []byte {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), gpg, append([]string{"--homedir", home, "--batch", "--pinentry-mode", "loopback", "--passphrase", "", "--trust-model", "always"}, args...)...)
		cmd.Stdin = bytes.NewReader(in)
		var errs bytes.Buffer
		cmd.Stderr = &errs
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("gpg %q: %v\n%s", args, err, &errs)
		}
		return out
	}
	run(nil, "--quick-generate-key", "Alice <alice@example.org>", "rsa2048", "default", "never")
	run(nil, "--quick-generate-key", "Alice at work <alice@example.org>", "future-default", "default", "never")
	var keys []string
	for _, line := range strings.Split(string(run(nil, "--with-colons", "--list-keys")), "\n") {
		if f := strings.Split(line, ":"); f[0] == "fpr" {
			if k := string(run(nil, "--armor", "--export", f[9]+"!")); strings.Contains(k, "BEGIN PGP PUBLIC") {
				keys = append(keys, k)
			}
		}
	}
	all := string(run(nil, "--armor", "--export"))
	raw, err := Seal([]byte(letter), []string{all}, rand.Reader, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	if got := run(ciphertext(t, raw), "--decrypt"); string(got) != sealedLetter {
		t.Errorf("gpg decrypts to\n%s", got)
	}
	if len(keys) == 0 {
		t.Error("no key was exported")
	}
	d := directory(all)
	w := httptest.NewRecorder()
	d.ServeHTTP(w, httptest.NewRequest("GET", "https://openpgpkey.example.org/.well-known/openpgpkey/example.org/hu/"+Hash("Alice")+"?l=Alice", nil))
	if shown := string(run(w.Body.Bytes(), "--show-keys")); w.Code != 200 || !strings.Contains(shown, "alice@example.org") || !strings.Contains(shown, "sub") {
		t.Errorf("%d, gpg shows\n%s", w.Code, shown)
	}
	field := Autocrypt([]string{all}, "alice@example.org", time.Now())
	_, data, ok := strings.Cut(strings.NewReplacer("\r\n ", "", "\r\n", "").Replace(field), "keydata=")
	key, err := base64.StdEncoding.DecodeString(data)
	if err != nil || !ok {
		t.Fatalf("%v in %q", err, field)
	}
	if shown := string(run(key, "--show-keys")); !strings.Contains(shown, "alice@example.org") {
		t.Errorf("Autocrypt: gpg shows\n%s", shown)
	}
}

func directory(keys string) *Directory {
	return &Directory{
		Keys: func(_ context.Context, address string) ([]string, error) {
			if address != "alice@example.org" {
				return nil, fs.ErrNotExist
			}
			return []string{keys}, nil
		},
		Names: func(_ context.Context, domain string) ([]string, error) {
			if domain != "example.org" {
				return nil, fs.ErrNotExist
			}
			return []string{"bob", "alice"}, nil
		},
		Now: time.Now,
	}
}

func TestNoKey(t *testing.T) {
	_, key := entity(t, "alice@example.org")
	for name, keys := range map[string][]string{"none": nil, "no key": {"x"}, "later": {key}} {
		now := time.Now()
		if name == "later" {
			now = now.Add(-time.Hour) // before it was made
		}
		if _, err := Seal([]byte(letter), keys, rand.Reader, now); !errors.Is(err, ErrNoKey) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

// pgpMIME is the body of an encrypted message (RFC 3156 §4).
const pgpMIME = "--x\r\nContent-Type: application/pgp-encrypted\r\n\r\nVersion: 1\r\n--x\r\nContent-Type: application/octet-stream\r\n\r\n" +
	"-----BEGIN PGP MESSAGE-----\r\n\r\nabc\r\n-----END PGP MESSAGE-----\r\n--x--\r\n"

func TestEncrypted(t *testing.T) {
	for raw, want := range map[string]bool{
		letter: false,
		"Content-Type: multipart/encrypted; protocol=\"application/pgp-encrypted\"; boundary=x\r\n\r\n" + pgpMIME:                                             true,
		"Content-Type: multipart/encrypted; protocol=\"application/pgp-encrypted\"; boundary=x\r\n\r\n":                                                       false,
		"Content-Type: multipart/encrypted; protocol=\"application/pgp-encrypted\"; boundary=x\r\n\r\n--x\r\n\r\nplain\r\n" + pgpMIME:                         false,
		"Content-Type: multipart/encrypted; protocol=\"application/pgp-encrypted\"; boundary=x\r\n\r\n" + strings.Replace(pgpMIME, "-----BEGIN", "hi\r\n", 1): false,
		"Content-Type: multipart/encrypted; boundary=x\r\n\r\n":                                                                                               false,
		"Content-Type: application/pkcs7-mime; smime-type=enveloped-data\r\n\r\n":                                                                             true,
		"Content-Type: application/pkcs7-mime; smime-type=signed-data\r\n\r\n":                                                                                false,
		"Subject: x\r\n\r\n\r\n-----BEGIN PGP MESSAGE-----\r\n\r\nabc\r\n-----END PGP MESSAGE-----\r\n":                                                       true,
		"Subject: x\r\n\r\n-----BEGIN PGP MESSAGE-----\r\n\r\nabc\r\n-----END PGP MESSAGE-----\r\nsecret\r\n":                                                 false,
		"Subject: x\r\n\r\n-----BEGIN PGP MESSAGE-----\r\n":                                                                                                   false,
		"Subject: x\r\n\r\nhello\r\n-----BEGIN PGP MESSAGE-----\r\n":                                                                                          false,
		"": false,
	} {
		if got := Encrypted([]byte(raw)); got != want {
			t.Errorf("%q: got %v", raw, got)
		}
	}
}

// TestHash holds an example of the specification.
func TestHash(t *testing.T) {
	if got := Hash("Joe.Doe"); got != "iy9q119eutrkn8s1mk4r39qejnbu3n5q" {
		t.Errorf("got %s", got)
	}
}

func TestDirectory(t *testing.T) {
	_, key := entity(t, "alice@example.org")
	d := directory(key)
	for url, want := range map[string]int{
		"https://openpgpkey.example.org/.well-known/openpgpkey/example.org/hu/" + Hash("alice"): 200,
		"https://example.org/.well-known/openpgpkey/hu/" + Hash("alice"):                        200,
		"https://example.org:8443/.well-known/openpgpkey/hu/" + Hash("alice"):                   200,
		"https://example.org/.well-known/openpgpkey/hu/" + Hash("bob"):                          404,
		"https://example.org/.well-known/openpgpkey/hu/" + Hash("carol"):                        404,
		"https://example.net/.well-known/openpgpkey/hu/" + Hash("alice"):                        404,
		"https://example.org/.well-known/openpgpkey/policy":                                     200,
		"https://example.org/.well-known/openpgpkey/":                                           404,
	} {
		w := httptest.NewRecorder()
		d.ServeHTTP(w, httptest.NewRequest("GET", url, nil))
		if w.Code != want {
			t.Errorf("%s: got %d, want %d", url, w.Code, want)
		}
	}
	w := httptest.NewRecorder()
	d.ServeHTTP(w, httptest.NewRequest("POST", "https://example.org/.well-known/openpgpkey/policy", nil))
	if w.Code != 405 {
		t.Errorf("POST: %d", w.Code)
	}
}

// FuzzSeal: whatever is sealed, what was in it comes out, and nothing but what belongs outside can be read.
func FuzzSeal(f *testing.F) {
	e, key := entity(f, "alice@example.org")
	f.Add(letter)
	f.Add("Subject: x")
	f.Add("Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nsecret\r\n--b--\r\n")
	f.Fuzz(func(t *testing.T, raw string) {
		if Encrypted([]byte(raw)) {
			return
		}
		out, err := Seal([]byte(raw), []string{key}, rand.Reader, time.Now())
		if err != nil {
			t.Fatal(err)
		}
		begin := bytes.Index(out, []byte("-----BEGIN PGP MESSAGE-----"))
		if begin < 0 {
			t.Fatalf("there is no message in\n%s", out)
		}
		block, err := armor.Decode(bytes.NewReader(out[begin:]))
		if err != nil {
			t.Fatal(err)
		}
		m, err := openpgp.ReadMessage(block.Body, openpgp.EntityList{e}, nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(m.UnverifiedBody)
		_, body := message.Split([]byte(raw))
		if err != nil || !bytes.HasSuffix(got, body) {
			t.Fatalf("%v: %q became %q", err, raw, got)
		}
	})
}
