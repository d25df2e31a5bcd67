package test

import (
	"path/filepath"
	"testing"
)

// TestMailPython has Python's own modules send and read.
func TestMailPython(t *testing.T) {
	i, _ := upMail(t, "-tls", "seed")
	for _, name := range []string{"alice", "bob"} {
		newPerson(t, i, name)
	}
	script, err := filepath.Abs("testdata/mail/client.py")
	if err != nil {
		t.Fatal(err)
	}
	out, err := judged(t, t.TempDir(), "python3", script, i.Mail["smtp"], i.Mail["submission"], i.Mail["imap"], secret)
	if err != nil {
		t.Errorf("%v\n%s\n%s", err, out, i.said())
	}
}
