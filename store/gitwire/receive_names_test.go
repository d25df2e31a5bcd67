package gitwire

import (
	"context"
	"fmt"
	"iter"
	"testing"

	"cairn/store"
)

// A counting backend counts how often it is asked for a list of refs.
type counting struct {
	receivingBackend
	lists int
}

func (b *counting) Refs(ctx context.Context, prefix string) iter.Seq2[store.Ref, error] {
	b.lists++
	return b.receivingBackend.Refs(ctx, prefix)
}

// A push of many new refs does not ask for a list for each of them, which
// takes a backend long when it has many; and finds what stands in the way.
func TestPushManyRefs(t *testing.T) {
	b := &counting{receivingBackend: newMemory(t)}
	l := &lab{t: t, backend: b}
	objs, tip := chain(100, "1")
	commands := []Command{{Name: "refs/heads/a/b", New: tip}}
	rawPush(t, l.view(), "", packOf(t, objs...), commands...)
	commands[0].Name = "refs/heads/a"
	want := "unpack ok; ng refs/heads/a cannot create a: another ref stands in the way, its name being a folder of the other's"
	for i := range 100 {
		name := fmt.Sprintf("refs/heads/b%d", i)
		commands = append(commands, Command{Name: name, New: tip})
		want += "; ok " + name
	}
	b.lists = 0
	if got := rawPush(t, l.view(), "", packOf(t, objs...), commands...); got != want {
		t.Errorf("report: got %q, want %q", got, want)
	}
	if b.lists > 5 {
		t.Errorf("got %d lists of refs for one push, want a few", b.lists)
	}
}
