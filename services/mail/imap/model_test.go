package imap

import (
	"fmt"
	"math/rand/v2"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// A mirror is what a client makes of what it hears: the UIDs by sequence number, 0 while unknown, and flags.
type mirror struct {
	*client
	uids   []int
	flags  map[int]string
	modSeq map[int]int

	resyncs bool // with QRESYNC
}

var fetched = regexp.MustCompile(`^\* (\d+) FETCH \((?:UID (\d+))?(?: ?FLAGS \(([^)]*)\))?(?: ?MODSEQ \((\d+)\))?\)$`)

// say runs a command and takes in what is heard. quiet says that nobody may hear of expunges.
func (m *mirror) say(command string, quiet bool) string {
	m.t.Helper()
	lines, answer := m.do(command)
	for _, l := range lines {
		m.take(command, l, quiet)
	}
	if m.resyncs && slices.Contains(m.uids, 0) { // who wants to hear of UIDs has to know them
		m.say("FETCH 1:* (UID)", true)
	}
	return answer
}

func (m *mirror) take(command, line string, quiet bool) {
	m.t.Helper()
	word := strings.Fields(line)
	switch {
	case len(word) == 3 && word[2] == "EXPUNGE":
		n := atoi(word[1])
		if quiet || n < 1 || n > len(m.uids) {
			m.t.Fatalf("%s: %q, with %d messages", command, line, len(m.uids))
		}
		m.uids = slices.Delete(m.uids, n-1, n)
	case len(word) == 3 && word[1] == "VANISHED":
		for _, r := range strings.Split(word[2], ",") {
			low, high, _ := strings.Cut(r, ":")
			if high == "" {
				high = low
			}
			for uid := atoi(low); uid <= atoi(high); uid++ {
				i := slices.Index(m.uids, uid)
				if i < 0 {
					m.t.Fatalf("%s: %q, but the messages are %v", command, line, m.uids)
				}
				m.uids = slices.Delete(m.uids, i, i+1)
			}
		}
		if quiet {
			m.t.Fatalf("%s: %q", command, line)
		}
	case len(word) == 3 && word[2] == "EXISTS":
		if atoi(word[1]) < len(m.uids) {
			m.t.Fatalf("%s: %q, with %d messages", command, line, len(m.uids))
		}
		for len(m.uids) < atoi(word[1]) {
			m.uids = append(m.uids, 0)
		}
	case fetched.MatchString(line):
		m.fetch(command, line)
	case word[1] == "OK" || word[1] == "SEARCH":
	default:
		m.t.Fatalf("%s: %q", command, line)
	}
}

func (m *mirror) fetch(command, line string) {
	m.t.Helper()
	f := fetched.FindStringSubmatch(line)
	n, uid := atoi(f[1]), atoi(f[2])
	if n > len(m.uids) || m.uids[n-1] != 0 && uid != 0 && m.uids[n-1] != uid {
		m.t.Fatalf("%s: %q, but the messages are %v", command, line, m.uids)
	}
	if uid != 0 {
		m.uids[n-1] = uid
	}
	uid = m.uids[n-1]
	if strings.Contains(line, "FLAGS") {
		m.flags[uid] = f[3]
	}
	if seq := atoi(f[4]); seq != 0 {
		m.modSeq[uid] = seq
	}
}

func atoi(s string) int {
	n, _ := strconv.Atoi(s)
	return n
}

// TestModel has clients do things at random to one mailbox. What each has heard has to be what it asks for at the
// end, and no number may ever mean something else than the client believes.
func TestModel(t *testing.T) {
	steps := 300
	if os.Getenv("CAIRN_LONG") == "1" {
		steps = 5000
	}
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 0))
	h := newHouse(t, nil)
	h.put("alice", "INBOX", hello, hello, hello, hello, hello)
	var all []*mirror
	for i := range 3 {
		m := &mirror{h.login(), make([]int, 5), map[int]string{}, map[int]int{}, false}
		if i == 2 {
			m.ok("ENABLE QRESYNC")
			m.resyncs = true
		}
		m.ok("SELECT INBOX")
		m.say("FETCH 1:* (UID FLAGS)", true)
		all = append(all, m)
	}
	for range steps {
		m := all[rng.IntN(len(all))]
		n := fmt.Sprint(1 + rng.IntN(len(m.uids)+1))
		flag := []string{`\Seen`, `\Deleted`, "$x"}[rng.IntN(3)]
		if n == fmt.Sprint(len(m.uids)+1) {
			n = "1:*"
		}
		switch rng.IntN(12) {
		case 0:
			m.say(fmt.Sprintf("STORE %s +FLAGS (%s)", n, flag), true)
		case 1:
			m.silent(n, flag)
		case 2:
			m.say(fmt.Sprintf("UID STORE %s -FLAGS (%s)", n, flag), false)
		case 3:
			m.say("EXPUNGE", false)
		case 4, 5:
			m.say(fmt.Sprintf("APPEND INBOX {%d+}\r\n%s", len(hello), hello), false)
		case 6:
			m.say("FETCH "+n+" (UID)", true)
		case 7:
			m.say("SEARCH DELETED", true)
		case 8:
			m.say("NOOP", false)
		case 9:
			h.put("alice", "INBOX", hello)
		case 10:
			if len(m.uids) > 5 {
				m.say("MOVE 2 Trash", false)
			}
		case 11:
			m.say("COPY 1:* INBOX", false)
			m.say("UID STORE 1:* +FLAGS.SILENT (\\Deleted)", false)
			m.say("FETCH 1:* (UID FLAGS)", true)
			m.say(fmt.Sprintf("STORE 1:%d -FLAGS (\\Deleted)", min(8, max(1, len(m.uids)))), true)
			m.say("EXPUNGE", false)
		}
	}
	for _, m := range all {
		m.say("NOOP", false)
		heard := map[int]string{}
		for _, uid := range m.uids {
			if flags, ok := m.flags[uid]; ok { // else it never asked
				heard[uid] = flags
			}
		}
		knew := slices.Clone(m.uids)
		m.say("FETCH 1:* (UID FLAGS)", true)
		for i, uid := range knew {
			flags, asked := heard[uid]
			if uid != 0 && (uid != m.uids[i] || asked && flags != m.flags[uid]) {
				t.Errorf("message %d: heard UID %d and flags %q; it has %d and %q", i+1, uid, flags, m.uids[i], m.flags[m.uids[i]])
			}
		}
		if !slices.IsSorted(m.uids) || !slices.Equal(m.uids, all[0].uids) {
			t.Errorf("got UIDs %v, want %v", m.uids, all[0].uids)
		}
	}
}

// silent sets a flag without hearing of it, and notes it itself.
func (m *mirror) silent(n, flag string) {
	m.t.Helper()
	m.say("FETCH "+n+" (UID FLAGS)", true)
	lines, _ := m.do(fmt.Sprintf("STORE %s +FLAGS.SILENT (%s)", n, flag))
	low, high := atoi(n), atoi(n)
	if n == "1:*" {
		low, high = 1, len(m.uids)
	}
	for i := low; i <= high && i <= len(m.uids); i++ {
		if uid := m.uids[i-1]; !slices.Contains(strings.Fields(m.flags[uid]), flag) {
			m.flags[uid] = inOrder(append(strings.Fields(m.flags[uid]), flag))
		}
	}
	for _, l := range lines {
		m.take("STORE", l, true)
	}
	if m.resyncs && slices.Contains(m.uids, 0) {
		m.say("FETCH 1:* (UID)", true)
	}
}

// inOrder is how flags are written: the system's own first.
func inOrder(flags []string) string {
	order := []string{`\Seen`, `\Answered`, `\Flagged`, `\Deleted`, `\Draft`, "$x"}
	slices.SortFunc(flags, func(a, b string) int { return slices.Index(order, a) - slices.Index(order, b) })
	return strings.Join(flags, " ")
}
