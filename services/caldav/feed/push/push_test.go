package push

import (
	"bytes"
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"io/fs"
	"math/big"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"cairn/services/caldav/shelf"
	"cairn/store"
	"cairn/store/mem"
)

func decode(t testing.TB, s string) []byte {
	t.Helper()
	b, err := base64.RawURLEncoding.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestSeal is the example of RFC 8291 §5 and appendix A.
func TestSeal(t *testing.T) {
	ours, err := curve.NewPrivateKey(decode(t, "yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw"))
	if err != nil {
		t.Fatal(err)
	}
	theirs, err := curve.NewPublicKey(decode(t, "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"))
	if err != nil {
		t.Fatal(err)
	}
	got, err := seal(ours, theirs, decode(t, "BTBZMqHH6r4Tts7J_aSIgg"), decode(t, "DGv6ra1nlYgDCS1FRnbzlw"), []byte("When I grow up, I want to be a watermelon"))
	if err != nil {
		t.Fatal(err)
	}
	const want = "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN"
	if s := base64.RawURLEncoding.EncodeToString(got); s != want {
		t.Errorf("got %s, want %s", s, want)
	}
}

// A program is registered somewhere, with the push service before it.
type program struct {
	key  *ecdh.PrivateKey
	auth []byte

	mu     sync.Mutex
	status int
	got    []string
	last   *http.Request
}

func newProgram(t testing.TB) *program {
	k, err := curve.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return &program{key: k, auth: bytes.Repeat([]byte{7}, 16)}
}

// RoundTrip is the push service: it takes what it is given and the program reads it.
func (p *program) RoundTrip(r *http.Request) (*http.Response, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	p.last = r
	answer := &http.Response{StatusCode: http.StatusCreated, Body: http.NoBody, Header: http.Header{}, Request: r}
	if p.status != 0 {
		answer.StatusCode = p.status
	}
	if p.status < 300 {
		text, err := p.open(body)
		if err != nil {
			return nil, err
		}
		p.got = append(p.got, text)
	}
	return answer, nil
}

// open decrypts a message as a program does.
func (p *program) open(body []byte) (string, error) {
	salt, size, n := body[:16], binary.BigEndian.Uint32(body[16:20]), int(body[20])
	public, sealed := body[21:21+n], body[21+n:]
	if len(sealed) > int(size) {
		return "", errors.New("more than a record")
	}
	theirs, err := curve.NewPublicKey(public)
	if err != nil {
		return "", err
	}
	secret, err := p.key.ECDH(theirs)
	if err != nil {
		return "", err
	}
	ikm, _ := hkdf.Key(sha256.New, secret, p.auth, "WebPush: info\x00"+string(p.key.PublicKey().Bytes())+string(public), 32)
	key, _ := hkdf.Key(sha256.New, ikm, salt, "Content-Encoding: aes128gcm\x00", 16)
	nonce, _ := hkdf.Key(sha256.New, ikm, salt, "Content-Encoding: nonce\x00", 12)
	block, err := aes.NewCipher(key)
	if err != nil {
		return "", err
	}
	gcm, err := cipher.NewGCM(block)
	if err != nil {
		return "", err
	}
	plain, err := gcm.Open(nil, nonce, sealed, nil)
	return strings.TrimSuffix(string(plain), "\x02"), err
}

// heard returns what came since it was last asked, in short.
func (p *program) heard() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	var list []string
	for _, text := range p.got {
		var m struct {
			XMLName xml.Name  `xml:"https://bitfire.at/webdav-push push-message"`
			Content *struct{} `xml:"content-update"`
			Props   *struct{} `xml:"property-update"`
		}
		if err := xml.Unmarshal([]byte(text), &m); err != nil {
			list = append(list, err.Error())
			continue
		}
		s := ""
		if m.Content != nil {
			s += "content"
		}
		if m.Props != nil {
			s += "props"
		}
		list = append(list, s)
	}
	p.got = nil
	return strings.Join(list, " ")
}

func (p *program) answer(status int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.status = status
}

func (p *program) registration(owner, user, path string) Registration {
	kind, name, _ := strings.Cut(path, "/")
	return Registration{
		Owner: owner, User: user, Path: shelf.Path{Kind: shelf.Kind(kind), Collection: name},
		Endpoint: "https://push.example/" + user, Public: p.key.PublicKey().Bytes(), Auth: p.auth, Content: true, Properties: true,
	}
}

func newService(now func() time.Time, over http.RoundTripper) *Service {
	s := shelf.New(store.New(mem.New(), store.Options{}), shelf.Options{Now: now})
	return &Service{Shelf: s, Client: &http.Client{Transport: over}, Key: [32]byte{3}, Rand: rand.Reader, Now: now, Contact: "mailto:owner@example.org"}
}

func edit(t testing.TB, s *Service, f func(*shelf.Edit) error) {
	t.Helper()
	err := s.Shelf.Update(context.Background(), store.Change{Message: "test"}, []string{"alice"}, func(m map[string]*shelf.Edit) error { return f(m["alice"]) })
	if err != nil {
		t.Fatal(err)
	}
}

func put(t testing.TB, s *Service, uid string) {
	t.Helper()
	o, err := s.Shelf.Parse(shelf.Calendars, []byte("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\nBEGIN:VEVENT\r\nUID:"+uid+
		"\r\nDTSTAMP:20260101T000000Z\r\nDTSTART:20260301T100000Z\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"))
	if err != nil {
		t.Fatal(err)
	}
	edit(t, s, func(e *shelf.Edit) error {
		_, err := e.Put(shelf.Path{Kind: shelf.Calendars, Collection: "home", Name: uid + ".ics"}, o)
		return err
	})
}

// TestRun lets the clock run and listens.
func TestRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newProgram(t)
		s := newService(time.Now, p)
		put(t, s, "before")
		ctx, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		wg.Go(func() { s.Run(ctx) })
		defer wg.Wait()
		defer cancel()
		want := func(what, want string) {
			t.Helper()
			time.Sleep(time.Minute)
			synctest.Wait()
			if got := p.heard(); got != want {
				t.Errorf("%s: heard %q, want %q", what, got, want)
			}
		}
		r, err := s.Register(ctx, p.registration("alice", "alice", "calendars/home"))
		if err != nil || !r.New {
			t.Fatalf("%+v, %v", r, err)
		}
		want("nothing has happened", "")
		put(t, s, "one")
		want("an event", "content")
		if sub := p.last.Header; sub.Get("Content-Encoding") != "aes128gcm" || sub.Get("TTL") == "" || len(sub.Get("Topic")) > 32 {
			t.Errorf("header: %v", sub)
		}
		for i := range 5 {
			put(t, s, "many"+string(rune('a'+i)))
			time.Sleep(time.Second)
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		if got := strings.Fields(p.heard()); len(got) < 1 || len(got) > 2 {
			t.Errorf("five events in five seconds: %d messages, want one or two", len(got))
		}
		edit(t, s, func(e *shelf.Edit) error {
			return e.SetProps(shelf.Path{Kind: shelf.Calendars, Collection: "home"}, &shelf.Props{DisplayName: "x"})
		})
		want("a property", "props")
		edit(t, s, func(e *shelf.Edit) error {
			return e.Make(shelf.Path{Kind: shelf.Calendars, Collection: "other"}, &shelf.Props{})
		})
		want("another calendar", "")

		p.answer(http.StatusServiceUnavailable)
		put(t, s, "two")
		want("while the push service is away", "")
		p.answer(0)
		time.Sleep(10 * time.Minute)
		want("it is back", "content")

		before, err := s.Shelf.Snapshot(ctx, "alice")
		if err != nil {
			t.Fatal(err)
		}
		put(t, s, "mine")
		if err := s.Made(ctx, before, "alice", r.ID); err != nil {
			t.Fatal(err)
		}
		want("its own change", "")
		put(t, s, "theirs")
		want("somebody else's", "content")

		p.answer(http.StatusGone)
		put(t, s, "three")
		want("nobody is there any more", "")
		p.answer(0)
		put(t, s, "four")
		want("so it is forgotten", "")
		if err := s.Unregister(ctx, r.ID, "alice"); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("forgotten: %v", err)
		}

		if r, err = s.Register(ctx, p.registration("alice", "alice", "calendars/home")); err != nil {
			t.Fatal(err)
		}
		edit(t, s, func(e *shelf.Edit) error { return e.Remove(shelf.Path{Kind: shelf.Calendars, Collection: "home"}) })
		want("the calendar is removed", "content")
		if err := s.Unregister(ctx, r.ID, "alice"); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("of a calendar that is gone: %v", err)
		}

		if _, err = s.Register(ctx, p.registration("alice", "alice", "calendars")); err != nil {
			t.Fatal(err)
		}
		put2 := func(name string) {
			edit(t, s, func(e *shelf.Edit) error {
				return e.Make(shelf.Path{Kind: shelf.Calendars, Collection: name}, &shelf.Props{})
			})
		}
		put2("fresh")
		want("one more in the home", "content")
		time.Sleep(8 * 24 * time.Hour)
		put2("fresher")
		want("after it has expired", "")
	})
}

// TestShared tells somebody of another's collection as long as it is shared.
func TestShared(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newProgram(t)
		s := newService(time.Now, p)
		share := func(a shelf.Access) {
			edit(t, s, func(e *shelf.Edit) error {
				props := &shelf.Props{}
				if a != shelf.NoAccess {
					props.Shares = map[string]shelf.Access{"bob": a}
				}
				return e.SetProps(shelf.Path{Kind: shelf.Calendars, Collection: "home"}, props)
			})
		}
		put(t, s, "a")
		ctx := t.Context()
		if _, err := s.Register(ctx, p.registration("alice", "bob", "calendars/home")); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("not shared: %v", err)
		}
		share(shelf.Read)
		r, err := s.Register(ctx, p.registration("alice", "bob", "calendars/home"))
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Unregister(ctx, r.ID, "carol"); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("by carol: %v", err)
		}
		round := func(want string) {
			t.Helper()
			time.Sleep(time.Minute)
			if err := s.round(ctx); err != nil {
				t.Error(err)
			}
			if got := p.heard(); got != want {
				t.Errorf("heard %q, want %q", got, want)
			}
		}
		put(t, s, "b")
		round("content")
		share(shelf.NoAccess)
		round("content") // the last
		put(t, s, "c")
		round("")
	})
}

func TestRegister(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	p := newProgram(t)
	s := newService(func() time.Time { return now }, p)
	ctx := t.Context()
	ok := p.registration("alice", "alice", "calendars/home")
	for what, change := range map[string]func(*Registration){
		"http":        func(r *Registration) { r.Endpoint = "http://push.example/" },
		"a password":  func(r *Registration) { r.Endpoint = "https://a:b@push.example/" },
		"no host":     func(r *Registration) { r.Endpoint = "https:///x" },
		"long":        func(r *Registration) { r.Endpoint += strings.Repeat("x", 1024) },
		"no key":      func(r *Registration) { r.Public = nil },
		"not a point": func(r *Registration) { r.Public = append([]byte{4}, make([]byte, 64)...) },
		"no secret":   func(r *Registration) { r.Auth = r.Auth[1:] },
		"no trigger":  func(r *Registration) { r.Content, r.Properties = false, false },
	} {
		r := ok
		change(&r)
		if _, err := s.Register(ctx, r); !errors.Is(err, ErrInvalid) {
			t.Errorf("%s: %v", what, err)
		}
	}
	for asked, want := range map[time.Duration]time.Duration{0: usually, -time.Hour: usually, 4 * 24 * time.Hour: 4 * 24 * time.Hour, 9999 * time.Hour: atMost} {
		r := ok
		if asked != 0 {
			r.Expires = now.Add(asked)
		}
		got, err := s.Register(ctx, r)
		if err != nil || !got.Expires.Equal(now.Add(want)) {
			t.Errorf("asked for %v: got %+v, %v, want %v", asked, got, err, want)
		}
	}
	again, err := s.Register(ctx, ok)
	if err != nil || again.New {
		t.Errorf("again: %+v, %v", again, err)
	}
	tree, err := s.Shelf.Branch("alice").Tree(ctx)
	if err != nil {
		t.Fatal(err)
	}
	data, _, err := tree.Blob(pushFile)
	if err != nil || bytes.Contains(data, []byte("push.example")) {
		t.Errorf("it lies in the open: %v", err)
	}
	other := &Service{Shelf: s.Shelf, Key: [32]byte{4}, Rand: rand.Reader, Now: s.Now}
	if list, err := other.read("alice", tree); err != nil || len(list) != 0 {
		t.Errorf("with another key: %v, %v", list, err)
	}
	if list, err := s.read("bob", tree); err != nil || len(list) != 0 {
		t.Errorf("as bob's: %v, %v", list, err)
	}
	for _, id := range []string{"", "x", "alice_", "../x_y", again.ID + "x"} {
		if err := s.Unregister(ctx, id, "alice"); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("unregister %q: %v", id, err)
		}
	}
	if err := s.Unregister(ctx, again.ID, "alice"); err != nil {
		t.Error(err)
	}
	var full error
	for i := 0; i <= maxKept && full == nil; i++ {
		r := ok
		r.Endpoint += strings.Repeat("x", i)
		_, full = s.Register(ctx, r)
	}
	if !errors.Is(full, ErrTooMany) {
		t.Errorf("the %dth: %v", maxKept+1, full)
	}
}

// TestAuthorization checks the signature as a push service does (RFC 8292 §4.2).
func TestAuthorization(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	s := newService(func() time.Time { return now }, nil)
	got, err := s.authorization("https://push.example:8443/x/y?z")
	if err != nil {
		t.Fatal(err)
	}
	token, key, ok := strings.Cut(strings.TrimPrefix(got, "vapid t="), ", k=")
	parts := strings.Split(token, ".")
	if !ok || len(parts) != 3 || key != s.PublicKey() {
		t.Fatalf("got %q", got)
	}
	public, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), decode(t, key))
	if err != nil {
		t.Fatal(err)
	}
	sig := decode(t, parts[2])
	sum := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
	if !ecdsa.Verify(public, sum[:], new(big.Int).SetBytes(sig[:32]), new(big.Int).SetBytes(sig[32:])) {
		t.Error("the signature is wrong")
	}
	var claims struct {
		Aud, Sub string
		Exp      int64
	}
	if err := json.Unmarshal(decode(t, parts[1]), &claims); err != nil {
		t.Fatal(err)
	}
	if claims.Aud != "https://push.example:8443" || claims.Sub != s.Contact || claims.Exp != now.Add(validFor).Unix() {
		t.Errorf("claims: %+v", claims)
	}
	if again := newService(s.Now, nil); again.PublicKey() != s.PublicKey() {
		t.Error("another replica has another key")
	}
	if s.Topic("alice", shelf.Path{Kind: shelf.Calendars, Collection: "a"}) == s.Topic("alicecalendars/a", shelf.Path{}) {
		t.Error("two collections have one topic")
	}
}

func FuzzRead(f *testing.F) {
	s := newService(time.Now, nil)
	good, err := s.sealed("alice", []kept{{ID: "x"}})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add([]byte("short"))
	f.Fuzz(func(t *testing.T, data []byte) {
		ctx := t.Context()
		s := newService(time.Now, nil)
		err := s.Shelf.Branch("alice").Update(ctx, store.Change{Message: "x"}, func(tx *store.Tx) error { return tx.Put(pushFile, data) })
		if err != nil {
			t.Fatal(err)
		}
		tree, err := s.Shelf.Branch("alice").Tree(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if list, err := s.read("alice", tree); err != nil || len(list) > 0 && !bytes.Equal(data, good) {
			t.Errorf("got %v, %v", list, err)
		}
	})
}
