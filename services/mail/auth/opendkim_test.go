package auth

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// opendkim runs Debian's filter over one message, with keys from a file in place of
// the DNS, and returns what it says.
func opendkim(t *testing.T, program string, keys map[string][]string, raw []byte, config string) string {
	t.Helper()
	dir := t.TempDir()
	var records strings.Builder
	for name, texts := range keys {
		fmt.Fprintf(&records, "%s %s\n", name, texts[0])
	}
	for name, data := range map[string]string{
		"keys": records.String(), "message": string(raw),
		"config": "TestDNSData file:" + filepath.Join(dir, "keys") + "\nRequireSafeKeys false\n" + strings.ReplaceAll(config, "DIR", dir),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(data), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command(program, "-x", filepath.Join(dir, "config"), "-t", filepath.Join(dir, "message"))
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + dir}
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("opendkim: %v\n%s", err, out)
	}
	return string(out)
}

// TestOpenDKIM has opendkim verify ours, and us verify its.
func TestOpenDKIM(t *testing.T) {
	program, err := exec.LookPath("opendkim")
	if err != nil {
		if program = "/usr/sbin/opendkim"; !isFile(program) {
			missing(t, "opendkim")
		}
	}
	z := &zone{}
	s := testSigner("example.org")
	z.publish(t, s)
	// Its test mode folds fields its own way, which simple canonicalisation minds.
	raw := bytes.Replace(plain, []byte("\r\n on"), []byte(" on"), 1)
	for _, k := range s.Keys {
		fields, err := (&Signer{Domain: s.Domain, Keys: []Key{k}}).Sign(raw) // it looks at the clock
		if err != nil {
			t.Fatal(err)
		}
		ours := append(fields, raw...)
		if out := opendkim(t, program, z.txt, ours, "Mode v\n"); !strings.Contains(out, "succeeded") {
			t.Errorf("%s: opendkim says %q of ours", k.Selector, out)
		}
		changed := bytes.Replace(ours, []byte("four"), []byte("five"), 1)
		if out := opendkim(t, program, z.txt, changed, "Mode v\n"); strings.Contains(out, "succeeded") {
			t.Errorf("%s: opendkim says %q of ours, changed", k.Selector, out)
		}
		for _, c := range []string{"relaxed/relaxed", "relaxed/simple", "simple/relaxed", "simple/simple"} {
			if k.Selector == "ed" && strings.HasPrefix(c, "simple/") {
				continue // what opendkim 2.11 signs so no verifier accepts
			}
			out := opendkim(t, program, z.txt, raw, "Mode s\nDomain example.org\nSelector "+k.Selector+"\nKeyFile "+pemFile(t, k)+
				"\nSignatureAlgorithm "+algorithm(k.Key.Public())+"\nCanonicalization "+c+"\n")
			at := strings.Index(out, "DKIM-Signature:")
			if at < 0 {
				t.Fatalf("opendkim says %q", out)
			}
			theirs := append([]byte(strings.TrimSpace(out[at:])+"\r\n"), raw...)
			if got := testChecker(z).Check(t.Context(), testSource, theirs).DKIM; verdicts(got) != "pass" {
				t.Errorf("%s, %s: got %+v of opendkim's, want pass\n%s", k.Selector, c, got, theirs)
			}
		}
	}
}

func isFile(name string) bool {
	_, err := os.Stat(name)
	return err == nil
}
