package gitwire

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"cairn/store"
	"cairn/store/object"
)

func TestPushBasics(t *testing.T) {
	overBackends(t, func(t *testing.T, l *lab, url string) {
		dir := l.clone(url)
		first := l.commit(dir, "a", "1", "sub/b", "2")
		l.git(dir, "push", "-q", "origin", "main") // to an empty repository
		l.want("refs/heads/main", first)

		second := l.commit(dir, "a", "1, changed")
		l.git(dir, "push", "-q", "origin", "main")
		l.want("refs/heads/main", second)

		l.git(dir, "tag", "-a", "-m", "one", "v1")
		l.git(dir, "branch", "other", first)
		l.git(dir, "push", "-q", "origin", "v1", "other", "HEAD:refs/heads/third")
		l.want("refs/tags/v1", l.git(dir, "rev-parse", "v1"))
		l.want("refs/heads/other", first)
		l.want("refs/heads/third", second)

		l.git(dir, "push", "-q", "origin", ":other", ":v1")
		l.want("refs/heads/other", "")
		l.want("refs/tags/v1", "")
		l.want("refs/heads/third", second)
		l.fsck()
	})
}

func TestPushForced(t *testing.T) {
	overBackends(t, func(t *testing.T, l *lab, url string) {
		dir := l.clone(url)
		first := l.commit(dir, "a", "1")
		second := l.commit(dir, "a", "2")
		l.git(dir, "push", "-q", "origin", "main")
		l.git(dir, "reset", "-q", "--hard", first)
		other := l.commit(dir, "a", "3")
		l.fails("main only moves forward", dir, "push", "-f", "origin", "main")
		l.want("refs/heads/main", second)

		l.mu.Lock()
		l.force = true
		l.mu.Unlock()
		l.git(dir, "push", "-q", "-f", "origin", "main")
		l.want("refs/heads/main", other)
		l.git(dir, "push", "-q", "-f", "origin", first+":main") // back, with nothing to send
		l.want("refs/heads/main", first)
	})
}

func TestPushAtomic(t *testing.T) {
	overBackends(t, func(t *testing.T, l *lab, url string) {
		l.allow = func(_ *Push, c Command) error {
			if c.Name == "refs/heads/closed" {
				return errors.New("closed is closed")
			}
			return nil
		}
		dir := l.clone(url)
		first := l.commit(dir, "a", "1")
		l.fails("closed is closed", dir, "push", "--atomic", "origin", "main", "main:closed", "main:open")
		l.want("refs/heads/main", "")
		l.want("refs/heads/open", "")

		l.fails("closed is closed", dir, "push", "origin", "main", "main:closed", "main:open")
		l.want("refs/heads/main", first)
		l.want("refs/heads/open", first)
		l.want("refs/heads/closed", "")

		l.git(dir, "push", "-q", "--atomic", "origin", "main:a", "main:b", ":open")
		l.want("refs/heads/a", first)
		l.want("refs/heads/b", first)
		l.want("refs/heads/open", "")
	})
}

func TestPushTalks(t *testing.T) {
	overBackends(t, func(t *testing.T, l *lab, url string) {
		var options []string
		l.accept = func(ctx context.Context, p *Push) error {
			options = p.Options
			fmt.Fprintln(p.Progress, "looking at it")
			if _, err := p.Objects.Object(ctx, p.Commands[0].New); err != nil {
				return err
			}
			if len(p.Options) == 0 {
				return errors.New("say please")
			}
			return nil
		}
		l.done = func(p *Push) { fmt.Fprintf(p.Progress, "published %d\n", len(p.Commands)) }
		dir := l.clone(url)
		first := l.commit(dir, "a", "1")
		l.fails("say please", dir, "push", "origin", "main")
		l.want("refs/heads/main", "")
		out := l.git(dir, "push", "-o", "please", "-o", "x=y", "origin", "main")
		l.want("refs/heads/main", first)
		if got, want := strings.Join(options, " "), "please x=y"; got != want {
			t.Errorf("options: got %q, want %q", got, want)
		}
		for _, want := range []string{"remote: looking at it", "remote: published 1"} {
			if !strings.Contains(out, want) {
				t.Errorf("output: got %q, want it to hold %q", out, want)
			}
		}
	})
}

func TestPushThinWithDeltas(t *testing.T) {
	overBackends(t, func(t *testing.T, l *lab, url string) {
		dir := l.clone(url)
		files := []string{}
		for i := range 60 {
			files = append(files, fmt.Sprintf("d%d/f%d", i%6, i), longText(i, 400))
		}
		l.commit(dir, files...)
		l.git(dir, "push", "-q", "origin", "main")
		for i := 0; i < len(files); i += 14 {
			files[i+1] += "one line more\n"
		}
		l.git(dir, "mv", "d1", "moved")
		last := l.commit(dir, files[:14]...)
		l.git(dir, "push", "-q", "--thin", "origin", "main")
		l.want("refs/heads/main", last)
		copied := l.clone(url)
		l.git(copied, "fetch", "-q", "origin")
		l.git(copied, "fsck", "--strict")
		l.fsck()
	})
}

// longText is lines that compress badly enough to be worth a delta.
func longText(seed, lines int) string {
	var b strings.Builder
	for i := range lines {
		fmt.Fprintf(&b, "%d %d %x\n", seed, i, (seed+1)*(i+7)*2654435761)
	}
	return b.String()
}

func TestPushFromShallowClone(t *testing.T) {
	overBackends(t, func(t *testing.T, l *lab, url string) {
		dir := l.clone(url)
		for i := range 4 {
			l.commit(dir, "a", fmt.Sprint(i))
		}
		l.git(dir, "push", "-q", "origin", "main")

		shallow := t.TempDir()
		l.git(shallow, "clone", "-q", "--depth=1", url, "x")
		shallow += "/x"
		next := l.commit(shallow, "a", "next", "b", "new")
		l.git(shallow, "push", "-q", "origin", "main")
		l.want("refs/heads/main", next)

		// Elsewhere, the history that the clone lacks is lacking.
		other := labOver(t, "mem")
		l.fails("shallow update not allowed", shallow, "push", other.http, "main")
		other.want("refs/heads/main", "")
		l.fsck()
	})
}

func TestPushOfDetachedHistories(t *testing.T) {
	overBackends(t, func(t *testing.T, l *lab, url string) {
		l.force = true
		dir := l.clone(url)
		l.commit(dir, "a", "1")
		l.git(dir, "push", "-q", "origin", "main")
		l.git(dir, "checkout", "-q", "--orphan", "fresh")
		fresh := l.commit(dir, "z", "1")
		l.git(dir, "checkout", "-q", "main")
		l.git(dir, "merge", "-q", "--allow-unrelated-histories", "-m", "both", "fresh")
		merged := l.git(dir, "rev-parse", "HEAD")
		l.git(dir, "push", "-q", "origin", "main", "fresh")
		l.want("refs/heads/main", merged)
		l.want("refs/heads/fresh", fresh)
		l.fsck()
	})
}

func TestPushDeletesManyInOneWrite(t *testing.T) {
	b := &writeCounter{receivingBackend: newMemory(t)}
	l := &lab{t: t, backend: b}
	objs, tip := chain(100, "1")
	var changes []store.RefChange
	var deletes []Command
	for i := range 2000 {
		name := fmt.Sprintf("b%d", i)
		changes = append(changes, store.RefChange{Name: "refs/heads/site/www/" + name, New: tip})
		deletes = append(deletes, Command{Name: "refs/heads/" + name, Old: tip})
	}
	if err := b.Commit(t.Context(), objs, changes); err != nil {
		t.Fatal(err)
	}
	b.commits = 0
	got := rawPush(t, l.view(), "", nil, deletes...)
	if got, want := strings.Count(got, "; ok refs/heads/b"), len(deletes); got != want {
		t.Errorf("deleted: got %d, want %d", got, want)
	}
	if got, want := b.commits, 1; got != want {
		t.Errorf("writes: got %d, want %d", got, want)
	}
	refs, err := l.refs(t.Context())
	if err != nil || len(refs) != 0 {
		t.Errorf("refs: got %d, %v, want none", len(refs), err)
	}
}

// A writeCounter counts writes.
type writeCounter struct {
	receivingBackend
	commits int
}

func (c *writeCounter) Commit(ctx context.Context, objs []object.Object, changes []store.RefChange) error {
	c.commits++
	return c.receivingBackend.Commit(ctx, objs, changes)
}
