package shelf

import (
	"context"
	"errors"
	"strings"
	"testing"

	"cairn/store"
	"cairn/store/mem"
	"cairn/store/object"
)

// try makes files on a branch of their own and asks whether they may be pushed.
func (k *kit) try(files ...string) error {
	k.Helper()
	ctx := context.Background()
	old, err := k.Branch("alice").Tree(ctx)
	if err != nil {
		old = nil
	}
	var fresh *store.Tree
	stop := errors.New("stop")
	scratch := k.repo.Branch("scratch")
	err = scratch.Update(ctx, change("try"), func(tx *store.Tx) error {
		for e, err := range tx.Tree().Entries(".") {
			if err != nil {
				return err
			}
			if err := tx.Remove(e.Name); err != nil {
				return err
			}
		}
		if old != nil {
			for e, err := range old.Entries(".") {
				if err != nil {
					return err
				}
				if err := tx.Link(e.Name, e); err != nil {
					return err
				}
			}
		}
		for i := 0; i < len(files); i += 2 {
			mode, name := object.ModeFile, files[i]
			if rest, link := strings.CutPrefix(name, "link:"); link {
				mode, name = object.ModeSymlink, rest
			}
			if err := tx.PutMode(name, mode, []byte(files[i+1])); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil && !errors.Is(err, stop) {
		k.Fatal(err)
	}
	if fresh, err = scratch.Tree(ctx); err != nil {
		k.Fatal(err)
	}
	return k.Check(ctx, "alice", old, fresh)
}

func TestCheck(t *testing.T) {
	k := newKit(t, mem.New(), Options{MaxResource: 2000, Quota: 100000})
	fan := fanOf("a.ics")
	k.push("calendars/home/a.ics", event("a", "A"), "calendars/home/old.ics", "was never right", "inbox/m.ics", event("m", ""))
	for _, files := range [][]string{
		{"calendars/home/b.ics", event("b", "B")},
		{"calendars/home/deep/er/c.ics", event("c", "C")},
		{"calendars/work/a.ics", event("a", "A in another calendar")},
		{"contacts/contacts/x.vcf", card("x", "X")},
		{"calendars/home/README", "text"},
		{"calendars/home/.notes/x.ics", "text"},
		{"calendars/home/.props.toml", "name = \"x\""},
		{"files/any/thing.ics", "text"},
		{"README", "text"},
		{"inbox/n.ics", event("m", "the same UID may come twice")},
	} {
		if err := k.try(files...); err != nil {
			t.Errorf("%s: %v", files[0], err)
		}
	}
	for _, c := range []struct {
		why   string
		files []string
	}{
		{"its UID", []string{"calendars/home/b.ics", event("a", "B")}},
		{"its UID", []string{"calendars/new/1.ics", event("n", "1"), "calendars/new/2.ics", event("n", "2")}},
		{"its UID", []string{"calendars/conflicts/1.ics", event("n", "1"), "calendars/conflicts/2.ics", event("n", "2")}},
		{"same resource", []string{"calendars/home/" + fan + "/a.ics", event("a3", "A")}},
		{"", []string{"calendars/home/b.ics", "BEGIN:VCALENDAR"}},
		{"", []string{"calendars/home/b.ics", ""}},
		{"", []string{"contacts/contacts/b.vcf", event("b", "no card")}},
		{"2000 at most", []string{"calendars/home/b.ics", event("b", strings.Repeat("x", 2000))}},
		{"such as calendars/home/b.ics", []string{"calendars/b.ics", event("b", "B")}},
		{"has to be a file", []string{"link:calendars/home/b.ics", "a.ics"}},
		{"has to be a file", []string{"link:calendars/home/.props.toml", "x"}},
		{"unknown key", []string{"calendars/home/.props.toml", "nmae = \"x\""}},
		{"unknown key", []string{".props.toml", "nmae = \"x\""}},
		{"not TOML", []string{".locks.toml", "["}},
		{"too deep", []string{"calendars/home/" + strings.Repeat("x/", 20) + "b.ics", event("b", "B")}},
	} {
		err := k.try(c.files...)
		last := strings.TrimPrefix(c.files[0], "link:")
		if err == nil || !strings.Contains(err.Error(), c.why) || !strings.Contains(err.Error(), last[:5]) {
			t.Errorf("%s: got %v, want an error that names it and says %q", c.files[0], err, c.why)
		}
	}
}

// TestCheckQuota refuses what makes too much more.
func TestCheckQuota(t *testing.T) {
	k := newKit(t, mem.New(), Options{Quota: 300})
	k.push("calendars/home/a.ics", event("a", strings.Repeat("x", 300)))
	if err := k.try("calendars/home/a.ics", event("a", "less")); err != nil {
		t.Errorf("less: %v", err)
	}
	k.wantErr("more", k.try("calendars/home/b.ics", event("b", "more")), ErrQuota)
}
