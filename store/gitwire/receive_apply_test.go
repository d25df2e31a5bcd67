package gitwire

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"

	"cairn/store"
	"cairn/store/object"
)

// A choosy backend refuses to move one ref, without saying which.
type choosy struct {
	receivingBackend
	not string
}

func (b *choosy) Commit(ctx context.Context, objs []object.Object, changes []store.RefChange) error {
	if slices.ContainsFunc(changes, func(c store.RefChange) bool { return c.Name == b.not }) {
		return errors.New("some trouble")
	}
	return b.receivingBackend.Commit(ctx, objs, changes)
}

// What has moved is reported and told to Done, also when the backend fails for
// another ref of the same push.
func TestPushPartlyFails(t *testing.T) {
	b := &choosy{newMemory(t), "refs/heads/site/www/b"}
	var done []string
	l := &lab{t: t, backend: b, done: func(p *Push) {
		for _, c := range p.Commands {
			done = append(done, c.Name)
		}
	}}
	objs, tip := chain(100, "1")
	push := func(caps string) string {
		return rawPush(t, l.view(), caps, packOf(t, objs...), Command{Name: "refs/heads/a", New: tip},
			Command{Name: "refs/heads/b", New: tip}, Command{Name: "refs/heads/c", New: tip})
	}
	const no = "cannot update the ref"
	if got, want := push("atomic"), "unpack ok; ng refs/heads/a "+no+"; ng refs/heads/b "+no+"; ng refs/heads/c "+no; got != want {
		t.Errorf("atomic: got %q, want %q", got, want)
	}
	if len(done) != 0 {
		t.Errorf("atomic: done got %q, want nothing", done)
	}
	if got, want := push(""), "unpack ok; ok refs/heads/a; ng refs/heads/b "+no+"; ok refs/heads/c"; got != want {
		t.Errorf("report: got %q, want %q", got, want)
	}
	if want := []string{"refs/heads/a", "refs/heads/c"}; !slices.Equal(done, want) {
		t.Errorf("done: got %q, want %q", done, want)
	}
}

// A strict backend lets one ref not be moved, and says why.
type strict struct {
	receivingBackend
	not string
}

func (b *strict) Commit(ctx context.Context, objs []object.Object, changes []store.RefChange) error {
	if slices.ContainsFunc(changes, func(c store.RefChange) bool { return c.Name == b.not }) {
		return fmt.Errorf("push: %w", &store.RefusedError{Ref: b.not, Reason: "not on\nSundays"})
	}
	return b.receivingBackend.Commit(ctx, objs, changes)
}

// The words of whoever keeps the repository reach the pusher.
func TestPushRefused(t *testing.T) {
	l := &lab{t: t, backend: &strict{newMemory(t), "refs/heads/site/www/b"}}
	objs, tip := chain(100, "1")
	push := func(caps string) string {
		return rawPush(t, l.view(), caps, packOf(t, objs...), Command{Name: "refs/heads/a", New: tip}, Command{Name: "refs/heads/b", New: tip})
	}
	if got, want := push("atomic"), "unpack ok; ng refs/heads/a cannot update the ref; ng refs/heads/b not on Sundays"; got != want {
		t.Errorf("atomic: got %q, want %q", got, want)
	}
	if got, want := push(""), "unpack ok; ok refs/heads/a; ng refs/heads/b not on Sundays"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// One push can put a folder of refs in the place of a ref, and back.
func TestPushTurnsRefIntoFolder(t *testing.T) {
	for name := range backends {
		t.Run(name, func(t *testing.T) {
			l := labOver(t, name)
			objs, tip := chain(100, "1")
			a, ab := Command{Name: "refs/heads/a", New: tip}, Command{Name: "refs/heads/a/b", New: tip}
			gone := func(c Command) Command { return Command{Name: c.Name, Old: c.New} }
			for _, step := range []struct {
				commands []Command
				want     string
			}{
				{[]Command{a}, "unpack ok; ok refs/heads/a"},
				{[]Command{ab, gone(a)}, "unpack ok; ok refs/heads/a/b; ok refs/heads/a"},
				{[]Command{a, gone(ab)}, "unpack ok; ok refs/heads/a; ok refs/heads/a/b"},
				{[]Command{ab}, "unpack ok; ng refs/heads/a/b cannot create a/b: another ref stands in the way, its name being a folder of the other's"},
				{[]Command{{Name: "refs/heads/a", Old: tip, New: tip}}, "unpack ok; ok refs/heads/a"},
				{[]Command{gone(a)}, "unpack ok; ok refs/heads/a"},
			} {
				if got := rawPush(t, l.view(), "", packOf(t, objs...), step.commands...); got != step.want {
					t.Errorf("%v: got %q, want %q", step.commands, got, step.want)
				}
			}
		})
	}
}

// While a check takes its time, the client is kept from giving up.
func TestPushKeepsClientWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		p := &receiving{bands: newSideband(&out, false)}
		stop := p.beAlive()
		wait, cancel := context.WithTimeout(t.Context(), 3*keepAlive+keepAlive/2)
		defer cancel()
		<-wait.Done()
		stop()
		if got, want := out.String(), "0005\x010005\x010005\x01"; got != want {
			t.Errorf("sent: got %q, want %q", got, want)
		}
	})
}

// A hidden ref's objects are no bases, also for one who knows where it is.
func TestHiddenRefIsNoBase(t *testing.T) {
	h := newHouse(t)
	h.v.Real = func(name string) (string, error) { return name, nil }
	made := append(slices.Clone(h.secret.Data), "and a line\n"...)
	tree := folder(map[string]object.Object{"x": blob(string(made))})
	c := commitOf(300, tree.Hash())
	got := rawPush(t, h.v, "", thinPackOf(t, h.secret.Hash(), h.secret.Data, made, tree, c),
		Command{Name: "refs/heads/mail/bob", Old: h.bobs.Hash(), New: c.Hash()})
	want := "unpack unresolved deltas: missing necessary objects; ng refs/heads/mail/bob unpacker error"
	if got != want {
		t.Errorf("report: got %q, want %q", got, want)
	}
}
