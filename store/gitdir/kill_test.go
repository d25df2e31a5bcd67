package gitdir

import (
	"bufio"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"testing"
	"time"

	"cairn/store"
)

// childDir names the repository that a killed child writes to.
const childDir = "CAIRN_TEST_KILL_CHILD"

// A report is a line from the child: what it is about to do, or, with no Next, that it
// has been done.
type report struct {
	Refs, Next map[string]store.Hash
}

// TestKillChild is the child of TestKill.
func TestKillChild(t *testing.T) {
	dir := os.Getenv(childDir)
	if dir == "" {
		t.Skip("runs as a child of TestKill")
	}
	d, err := Open(dir, Options{})
	if err != nil {
		t.Fatal(err)
	}
	out := json.NewEncoder(os.Stdout)
	w := &workload{d: d, refs: map[string]store.Hash{}, n: os.Getpid() * 1000}
	for ref, err := range d.Refs(t.Context(), "refs/") {
		if err != nil {
			t.Fatal(err)
		}
		w.refs[ref.Name] = ref.Hash
	}
	w.before = func() { out.Encode(report{w.refs, w.next}) }
	if err := out.Encode(report{w.refs, nil}); err != nil {
		t.Fatal(err)
	}
	for i := 0; ; i++ {
		names := []string{"refs/heads/main", "refs/heads/a", "refs/heads/site/b"}[i%3:]
		if i%10 == 9 && w.refs[names[0]] != (store.Hash{}) {
			names[0] = "-" + names[0]
		}
		if err := w.edit(names...)(); err != nil {
			t.Fatal(err)
		}
		w.refs, w.next = w.next, nil
		out.Encode(report{w.refs, nil})
		if i%5 == 0 {
			if err := d.Maintain(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// TestKill kills a writing process at random moments, again and again in one
// repository, and each time compares what is there with what was acknowledged.
func TestKill(t *testing.T) {
	kills := 10
	if os.Getenv("CAIRN_LONG") != "" || os.Getenv("CAIRN_CI") != "" {
		kills = 200
	}
	dir := t.TempDir()
	if err := Init(dir); err != nil {
		t.Fatal(err)
	}
	random := rand.New(rand.NewPCG(3, 4))
	writes := 0
	for n := range kills {
		w, done := killOne(t, dir, time.Duration(random.IntN(150_000))*time.Microsecond)
		writes += done
		d, err := Open(dir, Options{NoMaintenance: true})
		if err != nil {
			t.Fatal(err)
		}
		checkRefs(t, fmt.Sprint("kill ", n), d, w)
		left, _ := os.ReadDir(d.root.path(ownFolder))
		for _, e := range left {
			if name := e.Name(); name != d.owner.id && name != "maintenance" && name != "pruned" {
				t.Errorf("kill %d: %s is left behind", n, name)
			}
		}
		d.Close()
		if t.Failed() {
			return
		}
	}
	git(t, dir, "fsck", "--strict", "--full")
	t.Logf("%d kills, %d acknowledged writes", kills, writes)
}

// killOne starts a child, kills it some time after it has begun and returns what it
// had reported, and how many writes it had acknowledged.
func killOne(t *testing.T, dir string, after time.Duration) (w *workload, done int) {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^TestKillChild$")
	cmd.Env = append(os.Environ(), childDir+"="+dir)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	w = &workload{}
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		var r report
		if json.Unmarshal(lines.Bytes(), &r) != nil {
			t.Errorf("child said %q", lines.Bytes())
			break
		}
		if w.refs == nil {
			time.AfterFunc(after, func() { cmd.Process.Kill() })
		} else if r.Next == nil {
			done++
		}
		w.refs, w.next = r.Refs, r.Next
	}
	cmd.Process.Kill()
	cmd.Wait()
	if w.refs == nil {
		t.Fatal("the child has not begun")
	}
	return w, done
}
