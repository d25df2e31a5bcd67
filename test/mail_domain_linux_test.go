package test

import (
	"path/filepath"
	"strings"
	"testing"
)

// TestMailDomainCheck has a cairn look whether the DNS says what it has to, before and after.
func TestMailDomainCheck(t *testing.T) {
	w := newMailWorld(t)
	a, b := w.cairn("a.test", 10), w.cairn("b.test", 11)
	check := func() (string, error) {
		out, err := w.command(filepath.Join(binDir, "cairn"), "--home", a.home, "domain", "check", "a.test",
			"--dns", "192.0.2.1", "--address", a.at, "--list=", "--outward", b.at+":25").CombinedOutput()
		return string(out), err
	}
	out, _ := check() // the certificate is our own, which nobody else trusts
	for _, want := range []string{
		"ok   MX a.test: mail.a.test\n", "ok   reverse DNS 192.0.2.10: mail.a.test\n", "ok   port 25 outward: is open\n",
		"bad  mail server mail.a.test:25: its certificate is not one that others trust",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("with everything there %q is not in\n%s", want, out)
		}
	}
	if strings.Count(out, "\nno ")+strings.Count(out, "\nbad") != 2 {
		t.Errorf("with everything there but a certificate:\n%s", out)
	}
	w.zone.remove("_dmarc.a.test.")
	w.zone.remove("10.2.0.192.in-addr.arpa.")
	less, err := check()
	if err == nil {
		t.Error("without the records of DMARC and of the address: all is well")
	}
	for _, want := range []string{"no   TXT _dmarc.a.test: there is none", "no   reverse DNS 192.0.2.10: the address has no name"} {
		if !strings.Contains(less, want) {
			t.Errorf("%q is not in\n%s", want, less)
		}
	}
}
