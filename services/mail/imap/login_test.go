package imap

import (
	"bufio"
	"crypto/tls"
	"encoding/base64"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"cairn/store"
	"cairn/store/mem"

	"github.com/xdg-go/scram"
)

// TestPrivacy comes from another machine: nobody logs in before STARTTLS.
func TestPrivacy(t *testing.T) {
	h := newClosedHouse(t, store.New(mem.New(), store.Options{}), nil)
	app, err := h.Login.Accounts.NewAppPassword(t.Context(), root, "alice", "phone")
	if err != nil {
		t.Fatal(err)
	}
	c := h.listenInMemory().dial(t, "192.0.2.1")
	if got := c.line(); !strings.Contains(got, " STARTTLS LOGINDISABLED]") || strings.Contains(got, "AUTH=") {
		t.Errorf("greeting: got %q", got)
	}
	c.fails(`LOGIN alice "`+alicePassword+`"`, "NO [PRIVACYREQUIRED]")
	c.fails("AUTHENTICATE PLAIN AGFsaWNlAHg=", "NO [PRIVACYREQUIRED]")
	c.ok("STARTTLS")
	secure := tls.Client(c.conn, &tls.Config{InsecureSkipVerify: true})
	c.conn, c.r = secure, bufio.NewReader(secure)
	if got := c.ok("CAPABILITY"); !strings.Contains(got[0], " AUTH=SCRAM-SHA-256-PLUS AUTH=SCRAM-SHA-256 AUTH=PLAIN AUTH=LOGIN") || strings.Contains(got[0], "STARTTLS") {
		t.Errorf("under TLS: got %q", got)
	}
	c.fails("STARTTLS", "BAD")
	c.ok(`AUTHENTICATE PLAIN ` + base64.StdEncoding.EncodeToString([]byte("\x00alice\x00"+alicePassword)))
	c.ok("UNAUTHENTICATE")

	user, err := scram.SHA256.NewClient("alice", app, "")
	if err != nil {
		t.Fatal(err)
	}
	binding, err := scram.NewTLSExporterBinding(ptr(secure.ConnectionState()))
	if err != nil {
		t.Fatal(err)
	}
	talk := user.NewConversationWithChannelBinding(binding)
	c.write("s AUTHENTICATE SCRAM-SHA-256-PLUS\r\n")
	c.want("+ ")
	for challenge := ""; !talk.Done(); {
		answer, err := talk.Step(challenge)
		if err != nil {
			t.Fatal(err)
		}
		c.write(base64.StdEncoding.EncodeToString([]byte(answer)) + "\r\n")
		if talk.Done() {
			break
		}
		b, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(c.want("+ "), "+ "))
		if err != nil {
			t.Fatal(err)
		}
		challenge = string(b)
	}
	if _, answer := c.hear("s"); !strings.HasPrefix(answer, "OK [CAPABILITY") || !talk.Valid() {
		t.Errorf("SCRAM: got %q, valid %v", answer, talk.Valid())
	}
	c.ok("SELECT INBOX")
}

func ptr[T any](v T) *T { return &v }

// TestTime has clients that say nothing, too little, or do not listen.
func TestTime(t *testing.T) {
	for _, tc := range []struct {
		name  string
		play  func(t *testing.T, c *client)
		after time.Duration // when the connection is closed
		word  string
	}{
		{"stranger", func(*testing.T, *client) {}, loginTime, "* BYE Log in"},
		{"slow stranger", func(t *testing.T, c *client) {
			for range 100 {
				if _, err := c.conn.Write([]byte("a")); err != nil {
					return
				}
				time.Sleep(time.Second)
			}
		}, loginTime, "* BYE Log in"},
		{"idle", func(t *testing.T, c *client) { c.ok(`LOGIN alice "` + alicePassword + `"`) }, idleTime, "* BYE Nothing"},
		{"IDLE", func(t *testing.T, c *client) {
			c.ok(`LOGIN alice "` + alicePassword + `"`)
			c.ok("SELECT INBOX")
			c.write("i IDLE\r\n")
			c.want("+")
		}, idleTime, "* BYE Nothing"},
		{"half a command", func(t *testing.T, c *client) {
			c.ok(`LOGIN alice "` + alicePassword + `"`)
			c.write("a FETCH")
		}, restTime, "* BYE Nothing"},
		{"half a message", func(t *testing.T, c *client) {
			c.ok(`LOGIN alice "` + alicePassword + `"`)
			c.write("a APPEND INBOX {1000+}\r\nhalf")
		}, restTime, "* BYE Nothing"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newClosedHouse(t, store.New(mem.New(), store.Options{}), nil)
				c := h.listenInMemory().dial(t, "127.0.0.1")
				began := time.Now()
				c.want("* OK")
				said := make(chan struct{})
				if tc.name == "slow stranger" {
					go func() { defer close(said); tc.play(t, c) }()
				} else {
					tc.play(t, c)
					close(said)
				}
				got := c.closed()
				if took := time.Since(began); took < tc.after || took > tc.after+2*time.Second || !strings.Contains(got, tc.word) {
					t.Errorf("after %v: got %q, want %q… after %v", took, got, tc.word, tc.after)
				}
				<-said
			})
		})
	}
}

// TestDeaf has a client that does not take what it asks for.
func TestDeaf(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newClosedHouse(t, store.New(mem.New(), store.Options{}), nil)
		h.put("alice", "INBOX", letterOf(1), letterOf(2), strings.Repeat("x\r\n", 1<<16))
		c := h.listenInMemory().dial(t, "127.0.0.1")
		c.want("* OK")
		c.ok(`LOGIN alice "` + alicePassword + `"`)
		c.ok("SELECT INBOX")
		c.write("a FETCH 1:* BODY.PEEK[]\r\n")
		began := time.Now()
		for h.count.open() > 0 {
			time.Sleep(time.Second)
		}
		if took := time.Since(began); took > writeTime+5*time.Second {
			t.Errorf("closed after %v, want %v", took, writeTime)
		}
	})
}

// TestBudget goes away in the middle of messages: what was kept for them is free again.
func TestBudget(t *testing.T) {
	h := newClosedHouse(t, store.New(mem.New(), store.Options{}), nil)
	l := h.listenInMemory()
	for range 5 {
		c := l.dial(t, "127.0.0.1")
		c.want("* OK")
		c.ok(`LOGIN alice "` + alicePassword + `"`)
		c.write("a APPEND INBOX {30000000}\r\n")
		c.want("+")
		c.write("half")
		c.conn.Close()
	}
	for deadline := time.Now().Add(patience); h.count.open() > 0; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("connections do not end")
		}
	}
	if !h.memory.sem.TryAcquire(h.memory.size) {
		t.Error("memory is still taken")
	}
}
