package sieve

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
)

// A judge is Dovecot's sieve-test, which knows nothing of this package.
type judge struct {
	t    *testing.T
	path string
	dir  string
}

const judgeConfig = `mail_uid = %d
mail_gid = %d
first_valid_uid = 0
first_valid_gid = 0
mail_home = %[3]s
mail_location = maildir:%[3]s/mail
log_path = /dev/stderr
postmaster_address = postmaster@example.org
plugin {
  recipient_delimiter = +
  sieve_extensions = +special-use +vacation-seconds
  sieve_vacation_min_period = 60
  sieve_vacation_max_period = 365d
  sieve_max_redirects = 5
}
`

func newJudge(t *testing.T) *judge {
	t.Helper()
	path, err := exec.LookPath("sieve-test")
	if err != nil {
		if os.Getenv("CAIRN_CI") == "1" {
			t.Fatal("sieve-test is missing: install dovecot-sieve")
		}
		t.Skip("sieve-test is missing: dovecot-sieve has it")
	}
	dir, err := os.MkdirTemp("", "sieve")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	uid, gid := os.Getuid(), os.Getgid()
	if uid == 0 { // it refuses to work as root
		uid, gid = 65534, 65534
	}
	j := &judge{t, path, dir}
	j.write("dovecot.conf", fmt.Sprintf(judgeConfig, uid, gid, dir))
	j.write("letter", letter)
	if err := os.Chown(dir, uid, gid); err != nil {
		t.Fatal(err)
	}
	return j
}

func (j *judge) write(name, content string) string {
	j.t.Helper()
	name = filepath.Join(j.dir, name)
	if err := os.WriteFile(name, []byte(content), 0o644); err != nil {
		j.t.Fatal(err)
	}
	return name
}

// run returns what the judge would do with letter, one thing a line, sorted; "error" when the script means
// nothing or fails.
func (j *judge) run(script string) string {
	j.t.Helper()
	cmd := exec.Command(j.path, "-c", filepath.Join(j.dir, "dovecot.conf"), "-f", "bob@elsewhere.example",
		"-r", "alice+club@example.org", "-a", "alice+club@example.org", j.write("script.sieve", script), filepath.Join(j.dir, "letter"))
	var errors bytes.Buffer
	cmd.Stderr = &errors
	cmd.Dir = j.dir
	out, err := cmd.Output()
	if err != nil {
		if strings.Contains(errors.String(), "privileges") || strings.Contains(errors.String(), "doveconf") {
			j.t.Fatalf("%s", errors.Bytes())
		}
		return "error"
	}
	return judged(string(out))
}

var folded = regexp.MustCompile(`(?m)^ *[*+] .*$|^Implicit keep:|^ *=> seconds : \d+`)

// judged reads what sieve-test prints.
func judged(out string) string {
	var list []string
	implicit := false
	for _, line := range folded.FindAllString(out, -1) {
		line = strings.TrimSpace(line)
		name, value, _ := strings.Cut(line, ": ")
		switch {
		case line == "Implicit keep:":
			implicit = true
		case name == "* store message in folder" && implicit:
			list = append(list, "implicit")
		case name == "* store message in folder":
			list = append(list, "file "+value)
		case name == "* redirect message to":
			list = append(list, "redirect "+strings.Trim(value, "<>"))
		case strings.HasPrefix(line, "* reject"):
			list = append(list, "reject")
		case strings.HasPrefix(line, "* send vacation"):
			list = append(list, "vacation")
		case strings.HasPrefix(line, "=> seconds"):
			list[len(list)-1] += strings.TrimPrefix(line, "=> seconds :") + "s"
		case name == "+ add IMAP flags":
			flags := strings.FieldsFunc(strings.ToLower(value), func(r rune) bool { return r == ' ' || r == ',' })
			slices.Sort(flags)
			list[len(list)-1] += " " + fmt.Sprint(flags)
		case strings.HasPrefix(line, "+ create mailbox"):
			list[len(list)-1] += " create"
		}
	}
	slices.Sort(list)
	return strings.Join(list, "\n")
}

// ours says in the same words what this package would do.
func ours(t *testing.T, script string) string {
	t.Helper()
	s, err := Parse([]byte(script))
	if err != nil {
		return "error"
	}
	o, err := s.Run(input(letter))
	if err != nil {
		return "error"
	}
	var list []string
	for _, f := range o.File {
		line := "file " + f.Mailbox
		if f.Implicit {
			line = "implicit"
		}
		if f.Create {
			line += " create"
		}
		if len(f.Flags) > 0 {
			flags := strings.Fields(strings.ToLower(strings.Join(f.Flags, " ")))
			slices.Sort(flags)
			line += " " + fmt.Sprint(flags)
		}
		list = append(list, line)
	}
	for _, r := range o.Redirect {
		list = append(list, "redirect "+r)
	}
	if o.Reject != "" {
		list = append(list, "reject")
	}
	if o.Vacation != nil {
		list = append(list, fmt.Sprintf("vacation %ds", int(o.Vacation.Every.Seconds())))
	}
	slices.Sort(list)
	return strings.Join(list, "\n")
}

// TestJudgedActions compares the scripts in testdata.
func TestJudgedActions(t *testing.T) {
	j := newJudge(t)
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatal("no scripts", err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range txtar.Parse(data).Files {
			if strings.Contains(string(f.Data), "ereject") || strings.Contains(string(f.Data), ":days 0") {
				continue // the judge does not have the one, and has its own least time for the other
			}
			if got, want := ours(t, string(f.Data)), j.run(string(f.Data)); got != want {
				t.Errorf("%s:\n%s got %s\nwant %s", f.Name, f.Data, got, want)
			}
		}
	}
}

// apart are tests in which the judge and this package differ, on purpose.
var apart = []string{
	`header :matches "Subject" "*make*f?st"`, // a character is one of Unicode here, a byte there
	`string "a" "A"`,                         // RFC 5228 §2.7.3: without a comparator it is i;ascii-casemap
}

// TestJudgedTests compares what holds: each test gives the message a flag.
func TestJudgedTests(t *testing.T) {
	j := newJudge(t)
	script := requireAll
	n := 0
	for _, c := range holds {
		if strings.Contains(c.test, "_exists") || strings.Contains(c.test, "mailboxexists") || strings.Contains(c.test, "currentdate") || slices.Contains(apart, c.test) {
			continue // the others depend on the judge's mailboxes and clock
		}
		script += fmt.Sprintf("if %s { addflag \"t%d\"; } # %[2]d\n", c.test, n)
		n++
	}
	script += "keep;\n"
	got, want := strings.Fields(ours(t, script)), strings.Fields(j.run(script))
	for _, line := range strings.Split(script, "\n") {
		_, number, _ := strings.Cut(line, "} # ")
		flag := func(list []string) bool {
			return slices.ContainsFunc(list, func(s string) bool { return strings.Trim(s, "[]") == "t"+number })
		}
		if number != "" && flag(got) != flag(want) {
			t.Errorf("%s: got %v, want %v", line, flag(got), flag(want))
		}
	}
	if n < 60 || len(want) < 30 {
		t.Errorf("only %d tests were compared: %s", n, want)
	}
}

// TestJudgedMistakes makes sure that what is a mistake here is one there.
func TestJudgedMistakes(t *testing.T) {
	j := newJudge(t)
	for _, c := range mistakes {
		if len(c.script) > 1000 || strings.Contains(c.script, "${b.c}") {
			continue // its bounds are others; and an error by RFC 5229 §3, which it does not make
		}
		if got := j.run(c.script); got != "error" {
			t.Errorf("%.80q: the judge does %s", c.script, got)
		}
	}
}
