package sealed

import (
	"bytes"
	"context"
	"crypto/sha1"
	"encoding/base32"
	"encoding/base64"
	"errors"
	"io/fs"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp"
)

// Hash is the name under which a Web Key Directory has the key of a local part.
func Hash(local string) string {
	sum := sha1.Sum([]byte(strings.ToLower(local)))
	return zbase32.EncodeToString(sum[:])
}

var zbase32 = base32.NewEncoding("ybndrfg8ejkmcpqxot1uwisza345h769").WithPadding(base32.NoPadding)

// public returns the first key that an address has and that can be used: its primary key, that one name and
// the newest subkey for encryption, in binary.
func public(keys []string, address string, now time.Time) []byte {
	for _, e := range readers(keys, now) {
		for name, id := range e.Identities {
			if !strings.EqualFold(id.UserId.Email, address) {
				continue
			}
			one := &openpgp.Entity{PrimaryKey: e.PrimaryKey, Identities: map[string]*openpgp.Identity{name: id}, Signatures: e.Signatures}
			best, ok := e.EncryptionKey(now)
			if !ok {
				continue
			}
			for _, s := range e.Subkeys {
				if s.PublicKey == best.PublicKey {
					one.Subkeys = append(one.Subkeys, s)
				}
			}
			var b bytes.Buffer
			if one.Serialize(&b) == nil {
				return b.Bytes()
			}
		}
	}
	return nil
}

// maxAutocrypt is the largest key that goes with each message, in bytes.
const maxAutocrypt = 10 << 10

// Autocrypt is the header field that tells an address's key to those who get mail from it (Autocrypt
// 1.1), with its CRLF; "" where there is no key of that address.
func Autocrypt(keys []string, address string, now time.Time) string {
	key := public(keys, address, now)
	if key == nil || len(key) > maxAutocrypt {
		return ""
	}
	var b strings.Builder
	b.WriteString("Autocrypt: addr=" + address + "; keydata=\r\n")
	for text := base64.StdEncoding.EncodeToString(key); len(text) > 0; {
		n := min(len(text), 76)
		b.WriteString(" " + text[:n] + "\r\n")
		text = text[n:]
	}
	return b.String()
}

// A Directory answers for a Web Key Directory (draft-koch-openpgp-webkey-service), by its advanced and its
// direct method.
type Directory struct {
	// Keys returns the armored keys of whoever has an address; nobody is fs.ErrNotExist.
	Keys func(ctx context.Context, address string) ([]string, error)
	// Names returns the local parts of a domain that may have keys. Only their hashes are asked for.
	Names func(ctx context.Context, domain string) ([]string, error)
	Now   func() time.Time
}

const wkdPath = "/.well-known/openpgpkey/"

// Handles reports whether a request is the Directory's.
func Handles(r *http.Request) bool { return strings.HasPrefix(r.URL.Path, wkdPath) }

// ServeHTTP implements http.Handler.
func (d *Directory) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	host := strings.ToLower(r.Host)
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	path := strings.Split(strings.TrimPrefix(r.URL.Path, wkdPath), "/")
	if name, advanced := strings.CutPrefix(host, "openpgpkey."); advanced && len(path) > 1 && strings.EqualFold(path[0], name) {
		host, path = name, path[1:]
	}
	w.Header().Set("Access-Control-Allow-Origin", "*")
	switch {
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "This is only read.", http.StatusMethodNotAllowed)
	case len(path) == 1 && path[0] == "policy":
		w.Header().Set("Content-Type", "text/plain")
	case len(path) == 2 && path[0] == "hu":
		d.key(w, r, host, path[1])
	default:
		http.Error(w, "There is nothing here.", http.StatusNotFound)
	}
}

// key answers with the key of whose local part has the hash.
func (d *Directory) key(w http.ResponseWriter, r *http.Request, domain, hash string) {
	key, err := d.find(r.Context(), domain, hash)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		http.Error(w, "The keys cannot be read at the moment.", http.StatusServiceUnavailable)
		return
	}
	if key == nil {
		http.Error(w, "There is no key of this address.", http.StatusNotFound)
		return
	}
	w.Header().Set("Content-Type", "application/octet-stream")
	w.Write(key) // nobody is left to tell of an error
}

func (d *Directory) find(ctx context.Context, domain, hash string) ([]byte, error) {
	names, err := d.Names(ctx, domain)
	if err != nil {
		return nil, err
	}
	for _, local := range names {
		if Hash(local) != hash {
			continue
		}
		keys, err := d.Keys(ctx, local+"@"+domain)
		if err != nil {
			return nil, err
		}
		return public(keys, local+"@"+domain, d.Now()), nil
	}
	return nil, fs.ErrNotExist
}
