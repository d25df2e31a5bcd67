package test

import (
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"cairn/internal/githost"
)

// signingKey makes an SSH key and returns git's settings to sign with it, and the file
// of its public part.
func signingKey(t *testing.T) (config []string, public string) {
	t.Helper()
	_, err := exec.LookPath("ssh-keygen")
	judge(t, err == nil, "ssh-keygen")
	file := filepath.Join(t.TempDir(), "key")
	if out, err := exec.Command("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", file).CombinedOutput(); err != nil {
		t.Fatalf("ssh-keygen: %v\n%s", err, out)
	}
	return []string{"-c", "gpg.format=ssh", "-c", "user.signingkey=" + file, "-c", "commit.gpgsign=true"}, file + ".pub"
}

// TestTrust runs two replicas on a host that they do not trust: what nobody trusted
// has signed is neither written nor followed.
func TestTrust(t *testing.T) {
	sign, public := signingKey(t)
	h := githost.New(t, githost.HTTPBackend)
	one := upAway(t, h, "", "--trust", public)
	two := upAway(t, h, one.seed, "--trust", public)
	work := filepath.Join(t.TempDir(), "work")
	out, err := tryPage(t, work, "unsigned", one.push(), "main")
	if err == nil || !strings.Contains(out, "not signed: sign it") {
		t.Fatalf("an unsigned push: %v\n%s", err, out)
	}
	git(t, work, append(sign, "commit", "-q", "--amend", "--no-edit")...)
	git(t, work, "push", "-q", one.push()+"/site", "HEAD:main")
	shows(t, one.HTTP, "unsigned")
	shows(t, two.HTTP, "unsigned")

	// The host makes a commit of its own.
	const branch = "refs/heads/site/site/main"
	forged := h.Git("-c", "user.name=x", "-c", "user.email=x@localhost", "commit-tree", "-p", branch, "-m", "forged", branch+"^{tree}")
	h.Git("update-ref", branch, forged)
	for _, i := range []*instance{one, two} {
		err := wait("the health to tell of the forgery", func() error {
			got, status, err := fetch(i.Git, "", "healthz")
			if err != nil || status != 503 || !strings.Contains(string(got), "not signed") {
				return fmt.Errorf("got %d %q, %v", status, got, err)
			}
			return nil
		})
		if err != nil {
			t.Error(err)
		}
		shows(t, i.HTTP, "unsigned")
	}
}

// TestPreviewRewritten force-pushes a preview to one replica: the other follows. A live
// branch that is rewound at the host is not followed, and said so.
func TestPreviewRewritten(t *testing.T) {
	h := githost.New(t, githost.Cairn)
	one := upAway(t, h, "")
	two := upAway(t, h, one.seed)
	work := filepath.Join(t.TempDir(), "work")
	page(t, work, "one", one.push(), "main")
	page(t, work, "two", one.push(), "draft")
	preview := func(i *instance, text string) {
		t.Helper()
		err := wait("the preview "+text, func() error {
			out, err := exec.Command("curl", "-sS", "-H", "Host: draft.site.localhost:"+port(i.HTTP), i.HTTP+"/").Output()
			if err != nil || string(out) != text {
				return errors.Join(err, fmt.Errorf("got %q", out))
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	_, err := exec.LookPath("curl")
	judge(t, err == nil, "curl")
	preview(two, "two")
	write(t, filepath.Join(work, "index.html"), []byte("rewritten"))
	git(t, work, "commit", "-qa", "--amend", "-m", "rewritten")
	git(t, work, "push", "-qf", one.push()+"/site", "HEAD:draft")
	preview(one, "rewritten")
	preview(two, "rewritten")
	git(t, work, "push", "-q", one.push()+"/site", ":draft")

	page(t, work, "three", one.push(), "main")
	shows(t, two.HTTP, "three")
	h.Git("update-ref", "refs/heads/site/site/main", "refs/heads/site/site/main^")
	err = wait("the health to tell of the rewind", func() error {
		got, status, err := fetch(two.Git, "", "healthz")
		if err != nil || status != 503 || !strings.Contains(string(got), "site/site/main") {
			return fmt.Errorf("got %d %q, %v", status, got, err)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	shows(t, two.HTTP, "three")
	if out, err := tryPage(t, work, "four", two.push(), "main"); err == nil {
		t.Errorf("a push to a rewound branch went through\n%s", out)
	}
}

// TestVisitTrust does not sign, by a command, what only a host that is not trusted has
// put into a branch.
func TestVisitTrust(t *testing.T) {
	sign, public := signingKey(t)
	h := githost.New(t, githost.PlainHTTP)
	one := upAway(t, h, "", "--trust", public)
	work := filepath.Join(t.TempDir(), "work")
	if out, err := tryPage(t, work, "one", one.push(), "main"); err == nil {
		t.Fatalf("an unsigned push went through: %s", out)
	}
	git(t, work, append(sign, "commit", "-q", "--amend", "--no-edit")...)
	git(t, work, "push", "-q", one.push()+"/site", "HEAD:main")
	const branch = "refs/heads/site/site/main"
	forged := h.Git("-c", "user.name=x", "-c", "user.email=x@localhost", "commit-tree", "-p", branch, "-m", "forged", h.Git("mktree"))
	h.Git("update-ref", branch, forged)
	for _, command := range [][]string{{"site", "rollback", "site"}, {"site", "history", "site"}} {
		cmd := exec.Command(filepath.Join(binDir, "cairn"), command...)
		cmd.Env = []string{"CAIRN_REMOTE=" + h.GitURL(), "CAIRN_SEED=" + one.seed, "CAIRN_TRUST=" + public, "HOME=/nonexistent"}
		if out, err := cmd.CombinedOutput(); err == nil || !strings.Contains(string(out), "not signed") {
			t.Errorf("cairn %v: %v\n%s", command, err, out)
		}
	}
	if tip := h.Git("rev-parse", branch); tip != forged {
		t.Errorf("%s was written on top of what nobody has signed", tip)
	}
}
