package test

import (
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"cairn/internal/githost"
)

// upAwayPerson starts a cairn whose disk is a host, with somebody who may log in.
func upAwayPerson(t *testing.T, h *githost.Host, name string) *person {
	t.Helper()
	i := upAway(t, h, "")
	cmd := exec.Command(filepath.Join(binDir, "cairn"), "user", "add", name, "--password-stdin")
	cmd.Env = append([]string{"CAIRN_REMOTE=" + h.GitURL(), "CAIRN_SEED=" + i.seed, "HOME=/nonexistent"}, h.GitEnv()...)
	cmd.Stdin = strings.NewReader(secret + "\n")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("user add: %v\n%s", err, out)
	}
	p := &person{t, i, name, secret}
	p.known()
	return p
}

// known waits until a cairn has learnt of its person.
func (p *person) known() {
	p.t.Helper()
	err := wait("the log-in of "+p.name, func() error {
		a, err := p.try("PROPFIND", "/calendars/"+p.name+"/", "", "Depth: 0")
		if err == nil && a.status != 207 {
			err = fmt.Errorf("got %d %s", a.status, a.body)
		}
		return err
	})
	if err != nil {
		p.t.Fatal(err)
	}
}

// TestDavAway takes the host of the repository away: reads go on, writes are
// refused for now, and it heals by itself.
func TestDavAway(t *testing.T) {
	h := githost.New(t, githost.Cairn)
	alice := upAwayPerson(t, h, "alice")
	const lunch = "/calendars/alice/home/lunch.ics"
	alice.do(201, "PUT", lunch, event("lunch", "Lunch", "20261202T120000Z"), "Content-Type: text/calendar")
	h.Stop()
	a := alice.do(503, "PUT", lunch, event("lunch", "Late lunch", "20261202T120000Z"), "Content-Type: text/calendar")
	if a.head.Get("Retry-After") == "" {
		t.Error("a write that is refused for now does not say when to come again")
	}
	if a := alice.do(200, "GET", lunch, ""); !strings.Contains(a.body, "SUMMARY:Lunch") {
		t.Errorf("while the host is away: got\n%s", a.body)
	}
	alice.syncToken("/calendars/alice/home/", "")
	h.Start()
	err := wait("a write after the host came back", func() error {
		a, err := alice.try("PUT", lunch, event("lunch", "Late lunch", "20261202T120000Z"), "Content-Type: text/calendar")
		if err == nil && a.status != 204 {
			err = fmt.Errorf("got %d %s", a.status, a.body)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestDavReplicas moves devices between two cairns on one repository: ETags and sync
// tokens are the same on both, locks hold on both, and of two conditional writes at once
// one wins.
func TestDavReplicas(t *testing.T) {
	h := githost.New(t, githost.Cairn)
	one := upAwayPerson(t, h, "alice")
	two := &person{t, upAway(t, h, one.i.seed), one.name, one.password}
	two.known()
	const home, lunch = "/calendars/alice/home/", "/calendars/alice/home/lunch.ics"
	put := one.do(201, "PUT", lunch, event("lunch", "Lunch", "20261202T120000Z"), "Content-Type: text/calendar")
	tag := put.head.Get("ETag")
	two.sees(lunch, tag)
	token, changed, _ := one.syncToken(home, "")
	if fmt.Sprint(changed) != "[lunch.ics]" {
		t.Fatalf("got %q, want lunch.ics", changed)
	}
	if _, changed, gone := two.syncToken(home, token); len(changed)+len(gone) != 0 {
		t.Errorf("at the other: %q changed, %q gone, want nothing", changed, gone)
	}

	// A change at the other, conditional on the ETag from the one.
	tag = two.do(204, "PUT", lunch, event("lunch", "Late lunch", "20261202T120000Z"), "Content-Type: text/calendar", "If-Match: "+tag).head.Get("ETag")
	one.sees(lunch, tag)
	if _, changed, _ := one.syncToken(home, token); fmt.Sprint(changed) != "[lunch.ics]" {
		t.Errorf("after the change at the other: got %q, want lunch.ics", changed)
	}

	// Both at once: one wins, whichever.
	type outcome struct {
		a   answer
		err error
	}
	results := make(chan outcome, 2)
	for n, p := range []*person{one, two} {
		go func() {
			a, err := p.try("PUT", lunch, event("lunch", fmt.Sprint("Version ", n), "20261202T120000Z"), "Content-Type: text/calendar", "If-Match: "+tag)
			results <- outcome{a, err}
		}()
	}
	won := ""
	count := map[int]int{}
	for range 2 {
		r := <-results
		if r.err != nil {
			t.Fatal(r.err)
		}
		count[r.a.status]++
		if r.a.status == 204 {
			won = r.a.head.Get("ETag")
		}
	}
	if count[204] != 1 || count[412] != 1 {
		t.Fatalf("two conditional writes at once: got %v, want one 204 and one 412", count)
	}
	one.sees(lunch, won)
	two.sees(lunch, won)

	// A lock of the one holds at the other.
	locked := one.do(200, "LOCK", lunch, `<?xml version="1.0"?><d:lockinfo xmlns:d="DAV:"><d:lockscope><d:exclusive/></d:lockscope><d:locktype><d:write/></d:locktype></d:lockinfo>`, "Timeout: Second-600")
	lock := locked.head.Get("Lock-Token")
	err := wait("the lock at the other", func() error {
		a, err := two.try("PROPFIND", lunch, `<propfind xmlns="DAV:"><prop><lockdiscovery/></prop></propfind>`, "Depth: 0")
		if err == nil && !strings.Contains(a.body, strings.Trim(lock, "<>")) {
			err = fmt.Errorf("no lock in\n%s", a.body)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	two.do(423, "PUT", lunch, event("lunch", "Locked out", "20261202T120000Z"), "Content-Type: text/calendar")
	two.do(204, "UNLOCK", lunch, "", "Lock-Token: "+lock)
	two.do(204, "DELETE", lunch, "")
	err = wait("the deletion at the one", func() error {
		a, err := one.try("GET", lunch, "")
		if err == nil && a.status != 404 {
			err = fmt.Errorf("got %d", a.status)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// sees waits until a resource has an ETag.
func (p *person) sees(path, tag string) {
	p.t.Helper()
	err := wait("ETag "+tag, func() error {
		a, err := p.try("HEAD", path, "")
		if err == nil && a.head.Get("ETag") != tag {
			err = fmt.Errorf("got %d %s", a.status, a.head.Get("ETag"))
		}
		return err
	})
	if err != nil {
		p.t.Fatal(err)
	}
}

// TestDavVisit brings in, looks back and restores by command, at a repository that lies
// elsewhere, from a machine that has nothing but its address and the seed.
func TestDavVisit(t *testing.T) {
	h := githost.New(t, githost.Cairn)
	alice := upAwayPerson(t, h, "alice")
	visit := func(args ...string) string {
		t.Helper()
		cmd := exec.Command(filepath.Join(binDir, "cairn"), args...)
		cmd.Env = append([]string{"CAIRN_REMOTE=" + h.GitURL(), "CAIRN_SEED=" + alice.i.seed, "HOME=/nonexistent"}, h.GitEnv()...)
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("cairn %q: %v\n%s", args, err, out)
		}
		return string(out)
	}
	const lunch = "/calendars/alice/home/lunch.ics"
	file := filepath.Join(t.TempDir(), "lunch.ics")
	write(t, file, []byte(event("lunch", "Lunch", "20261202T120000Z")))
	if out := visit("calendar", "import", "alice/home", file); !strings.Contains(out, "1 new") {
		t.Errorf("import: got %s", out)
	}
	tag := ""
	err := wait("the import", func() error {
		a, err := alice.try("GET", lunch, "")
		if err == nil && a.status != 200 {
			err = fmt.Errorf("got %d", a.status)
		}
		tag = a.head.Get("ETag")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	then := time.Now()
	err = wait("the next second", func() error {
		if time.Now().Unix() <= then.Unix()+1 {
			return errors.New("not yet")
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	alice.do(204, "DELETE", lunch, "")
	if out := visit("restore", "alice/calendars/home", "--at", then.Add(time.Second).Truncate(time.Second).Format(time.RFC3339)); !strings.Contains(out, "add “Lunch”") {
		t.Errorf("restore: got %s", out)
	}
	alice.sees(lunch, tag)
	if out := visit("history", "alice/calendars/home"); strings.Count(out, "“Lunch”") != 3 {
		t.Errorf("history: got\n%s\nwant an import, a deletion and a restore", out)
	}
}
