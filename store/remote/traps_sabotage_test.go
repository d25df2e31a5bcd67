package remote_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// A sabotage puts a trap back: in these files it replaces text by other text. The test
// must then fail.
type sabotage struct {
	name  string
	edits []edit
	test  string // and a kind of host
}

type edit struct{ file, old, new string } // file: from the root of the module

var sabotages = []sabotage{
	{
		"the old value is what the host says to have",
		[]edit{{
			"store/remote/commit.go",
			"p.Commands = append(p.Commands, gitwire.Command{Name: c.Name, Old: c.Old, New: c.New})",
			`refs, _ := b.host.Refs(context.Background(), c.Name)
		for _, ref := range refs {
			c.Old = ref.Hash
		}
		p.Commands = append(p.Commands, gitwire.Command{Name: c.Name, Old: c.Old, New: c.New})`,
		}},
		"TestTrapOldFromAdvertisement/cairn",
	},
	{
		"ng is taken for ok",
		[]edit{{
			"store/gitwire/remote_report.go",
			"ref.ng, ref.reason = true, ",
			"ref.ok, ref.reason = true, ",
		}},
		"TestTrapIgnoredRefusal/cairn",
	},
	{
		"a push whose answer is lost is made again without a look",
		[]edit{{
			"store/remote/commit.go",
			"		if a.doubt == nil && !wasRejected(err) {",
			`		if a.doubt != nil {
			return &store.ConflictError{Change: a.changes[0]}
		}
		if a.doubt == nil && !wasRejected(err) {`,
		}},
		"TestTrapBlindRetry/cairn",
	},
	{
		"a push that is rejected is made again without a look at whether it was its own twin that came first",
		[]edit{{
			"store/remote/doubt.go",
			"if a.doubt != nil || a.overtaken(now) {",
			"if a.doubt != nil {",
		}},
		"TestTrapLostRequest/cairn",
	},
	{
		"a push whose answer is lost is taken to have landed",
		[]edit{{
			"store/remote/commit.go",
			"		if a.doubt == nil && !wasRejected(err) {",
			`		if a.doubt != nil {
			b.land(a)
			return nil
		}
		if a.doubt == nil && !wasRejected(err) {`,
		}},
		"TestTrapLostRequest/cairn",
	},
	{
		"a force-push is followed like any other",
		[]edit{{"store/remote/history.go", "	return errRewound\n", "	return nil\n"}},
		"TestTrapForcePush/cairn",
	},
	{
		"a force-push is overwritten by what was known",
		[]edit{
			{
				"store/remote/commit.go",
				"		if r := b.rewound[c.Name]; r != nil {\n			return c, nil, r\n		}\n",
				"",
			},
			{
				"store/remote/commit.go",
				"p.Commands = append(p.Commands, gitwire.Command{Name: c.Name, Old: c.Old, New: c.New})",
				`if r := b.rewound[c.Name]; r != nil {
			c.Old = r.Host
		}
		p.Commands = append(p.Commands, gitwire.Command{Name: c.Name, Old: c.Old, New: c.New})`,
			},
		},
		"TestTrapForcePush/plain-http", // ours does not take what leans on lost commits,
	},
	{
		"two replicas make identical commits",
		[]edit{{"store/commit.go", `if r.options.Replica != "" {`, `if false {`}},
		"TestTrapIdenticalCommits/cairn",
	},
}

// TestSabotage builds the package with each trap put back, and has the test fail
// that is there for it.
func TestSabotage(t *testing.T) {
	if os.Getenv("CAIRN_LONG") == "" {
		t.Skip("builds the package many times: only with CAIRN_LONG")
	}
	for _, s := range sabotages {
		t.Run(s.name, func(t *testing.T) {
			name, kind, _ := strings.Cut(s.test, "/")
			run := "^" + name + "$/^" + kind + "$"
			cmd := exec.Command("go", "test", "-count=1", "-vet=off", "-run", run, "-overlay", s.overlay(t), ".")
			cmd.Env = append(os.Environ(), "CAIRN_LONG=")
			out, err := cmd.CombinedOutput()
			if err == nil {
				t.Errorf("%s does not notice", s.test)
			} else if !strings.Contains(string(out), "--- FAIL: "+s.test) {
				t.Errorf("%s did not run: %v\n%s", s.test, err, out)
			}
		})
	}
}

// overlay writes the changed files, and the list of them that go build -overlay takes.
func (s *sabotage) overlay(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	texts := map[string]string{}
	for _, e := range s.edits {
		path := filepath.Join(root, e.file)
		if texts[path] == "" {
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			texts[path] = string(text)
		}
		if n := strings.Count(texts[path], e.old); n != 1 {
			t.Fatalf("%s holds %q %d times, want once: the trap must take another form", e.file, e.old, n)
		}
		texts[path] = strings.Replace(texts[path], e.old, e.new, 1)
	}
	replace := map[string]string{}
	for path, text := range texts {
		replace[path] = filepath.Join(dir, filepath.Base(path))
		if err := os.WriteFile(replace[path], []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	list, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "overlay.json")
	if err := os.WriteFile(path, list, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
