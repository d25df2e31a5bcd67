package smtp

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"cairn/store/gitdir"
)

const childEnv = "CAIRN_TEST_SMTP_REPOSITORY"

// TestChild is the server that TestKill kills: it serves the repository that the environment names.
func TestChild(t *testing.T) {
	path := os.Getenv(childEnv)
	if path == "" {
		return // there is nothing to serve: TestKill starts this test in another process
	}
	backend, err := gitdir.Open(path, gitdir.Options{})
	check(t, err)
	defer backend.Close()
	fmt.Println("address", wire(t, backend).listen(Relay))
	io.Copy(io.Discard, os.Stdin) // until the parent is gone
}

// TestKill kills the server while messages come in, again and again. Each that got its 250 has to be there
// once, in all places it was for, and no other one twice.
func TestKill(t *testing.T) {
	rounds := 3
	if os.Getenv("CAIRN_LONG") == "1" {
		rounds = 20
	}
	path := filepath.Join(t.TempDir(), "repo.git")
	check(t, gitdir.Init(path))
	backend, err := gitdir.Open(path, gitdir.Options{})
	check(t, err)
	openOn(t, backend)
	check(t, backend.Close())

	acknowledged := map[string]bool{}
	for round := range rounds {
		for _, id := range killed(t, path, round) {
			acknowledged[id] = true
		}
	}
	backend, err = gitdir.Open(path, gitdir.Options{})
	check(t, err)
	defer backend.Close()
	h := wire(t, backend)
	alice, bob := ids(h.got("alice", "INBOX")), ids(h.got("bob", "INBOX"))
	for id := range acknowledged {
		if alice[id] != 1 || bob[id] != 1 {
			t.Errorf("%s got its 250: alice has it %d times, bob %d times; want once", id, alice[id], bob[id])
		}
	}
	for id, n := range alice {
		if n != 1 || bob[id] != 1 {
			t.Errorf("%s: alice has it %d times, bob %d times; want once", id, n, bob[id])
		}
	}
	queued := len(h.queued())
	if queued != len(alice) || len(bob) != len(alice) {
		t.Errorf("alice has %d messages, bob %d, and %d are queued; want as many of each", len(alice), len(bob), queued)
	}
	t.Logf("%d got their 250, %d are there", len(acknowledged), len(alice))
}

// killed serves the repository until some messages have got their 250, kills the server, and returns which.
func killed(t *testing.T, path string, round int) (acknowledged []string) {
	t.Helper()
	child := exec.Command(os.Args[0], "-test.run=^TestChild$", "-test.v")
	child.Env = append(os.Environ(), childEnv+"="+path)
	stdin, err := child.StdinPipe()
	check(t, err)
	defer stdin.Close()
	stdout, err := child.StdoutPipe()
	check(t, err)
	check(t, child.Start())
	defer child.Wait()
	defer child.Process.Kill()
	addr := ""
	for lines := bufio.NewScanner(stdout); addr == "" && lines.Scan(); {
		addr, _ = strings.CutPrefix(lines.Text(), "address ")
		if addr == lines.Text() {
			addr = ""
		}
	}
	go io.Copy(io.Discard, stdout)

	var mu sync.Mutex
	var clients sync.WaitGroup
	for n := range 4 {
		clients.Go(func() {
			for i := 0; ; i++ {
				id := fmt.Sprintf("r%dc%di%d", round, n, i)
				if !hand(addr, id) {
					return
				}
				mu.Lock()
				acknowledged = append(acknowledged, id)
				enough := len(acknowledged) > 15+5*round%40
				mu.Unlock()
				if enough {
					child.Process.Kill()
				}
			}
		})
	}
	clients.Wait()
	if len(acknowledged) == 0 {
		t.Fatal("no message was taken")
	}
	return acknowledged
}

// hand hands one message in and reports whether it got its 250.
func hand(addr, id string) bool {
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		return false
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(2 * time.Minute))
	fmt.Fprintf(conn, "EHLO client.example\r\nMAIL FROM:<>\r\nRCPT TO:<info@example.org>\r\nRCPT TO:<away@example.org>\r\n")
	fmt.Fprintf(conn, "BDAT %d LAST\r\nX-Number: %s\r\n\r\n", len("X-Number: \r\n\r\n")+len(id), id)
	for lines := bufio.NewScanner(conn); lines.Scan(); {
		if strings.Contains(lines.Text(), "taken as") {
			return true
		}
	}
	return false
}

var number = regexp.MustCompile(`X-Number: (\w+)`)

// ids counts the numbers of messages.
func ids(messages []string) map[string]int {
	counts := map[string]int{}
	for _, m := range messages {
		if found := number.FindStringSubmatch(m); found != nil {
			counts[found[1]]++
		}
	}
	return counts
}
