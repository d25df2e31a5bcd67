package mailbox

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"

	"cairn/store/mem"
)

// A model is a user's mail as plain values.
type model map[string]*modelBox

type modelBox struct {
	validity uint32
	next     UID
	msgs     map[UID]modelMessage
}

type modelMessage struct{ flags, text string }

func (m model) clone() model {
	c := model{}
	for name, box := range m {
		copied := *box
		copied.msgs = maps.Clone(box.msgs)
		c[name] = &copied
	}
	return c
}

func (m model) has(name string) bool { return m[name] != nil }

// A gambler does things at random to both.
type gambler struct {
	*kit
	r        *rand.Rand
	m        model
	seq      map[uint32]uint64          // the highest modseq ever seen, by UIDVALIDITY
	ever     map[string]string          // content by UIDVALIDITY and UID, for ever
	mirror   map[string]map[UID]Message // what a client knows that follows by Between
	versions map[string]*Mailbox
}

// TestModel does things at random, several in an Update, and compares all that can be asked with a model, also in a Boxes that
// remembers nothing.
func TestModel(t *testing.T) {
	seeds, steps := 10, 60
	if os.Getenv("CAIRN_LONG") == "1" {
		seeds, steps = 60, 150
	}
	for seed := range seeds {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			k := newKit(t, mem.New(), Options{CacheBytes: []int64{1, 32 << 20}[seed%2]})
			g := newGambler(k, uint64(seed))
			for range steps {
				g.step()
				if t.Failed() {
					return
				}
			}
		})
	}
}

func newGambler(k *kit, seed uint64) *gambler {
	g := &gambler{
		kit: k, r: rand.New(rand.NewPCG(seed, 2)), m: model{},
		seq: map[uint32]uint64{}, ever: map[string]string{}, mirror: map[string]map[UID]Message{}, versions: map[string]*Mailbox{},
	}
	for i, d := range defaults {
		g.m[d.name] = &modelBox{uint32(i + 1), 1, map[UID]modelMessage{}}
	}
	return g
}

var gambleNames = []string{Inbox, "Archive", "Work", "Work/2026", "Work/2026/deep", "12xxxx", "Ämter & Co.", "a:b"}

func (g *gambler) name() string { return gambleNames[g.r.IntN(len(gambleNames))] }

func (g *gambler) uids(name string) []UID {
	var list []UID
	if box := g.m[name]; box != nil {
		for uid := range box.next {
			if g.r.IntN(3) == 0 {
				list = append(list, uid)
			}
		}
	}
	return list
}

// step does up to six things in one Update, which sometimes fails.
func (g *gambler) step() {
	g.Helper()
	before, old := g.m.clone(), g.snap()
	fault := errors.New("fault")
	g.clock.Add(int64(g.r.IntN(3)))
	err := g.edit(func(e *Edit) error {
		g.m = before.clone()
		for range 1 + g.r.IntN(6) {
			if err := g.act(e); err != nil {
				return err
			}
		}
		if g.r.IntN(8) == 0 {
			return fault
		}
		return nil
	})
	if errors.Is(err, fault) {
		g.m = before
	} else if err != nil {
		g.Fatal(err)
	}
	now := g.snap()
	if err := Check(context.Background(), old.Tree(), now.Tree()); err != nil {
		g.Errorf("what was written could not be pushed: %v", err)
	}
	if err := g.Settle(context.Background(), "alice"); err != nil {
		g.Fatal(err)
	}
	if g.snap().Tree().Hash() != now.Tree().Hash() {
		g.Error("what was written was not in order")
	}
	g.compare(now)
	if g.r.IntN(10) == 0 {
		again, err := Open(g.repo, g.o).Box("alice").Snapshot(context.Background())
		if err != nil {
			g.Fatal(err)
		}
		g.compare(again)
	}
}

// act does one thing to both.
func (g *gambler) act(e *Edit) error {
	name, to := g.name(), g.name()
	switch g.r.IntN(12) {
	case 0, 1, 2:
		return g.append(e, name)
	case 3:
		return g.setFlags(e, name)
	case 4:
		return g.expunge(e, name)
	case 5, 6:
		return g.carry(e, name, to, g.r.IntN(2) == 0)
	case 7, 8:
		return g.create(e, name)
	case 9:
		return g.remove(e, name)
	case 10:
		return g.rename(e, name, to)
	default:
		return g.within(e)
	}
}

func (g *gambler) append(e *Edit, name string) error {
	n := note(g.r.IntN(20))
	n.Flags = NewFlags([]Flag{Seen, "$Work", Deleted}[:g.r.IntN(4)]...)
	if g.r.IntN(4) == 0 {
		n.Trace = nil
	}
	if g.r.IntN(4) == 0 {
		n.Hide = []Span{{0, 21}} // the field From
	}
	uid, err := e.Append(name, n)
	box := g.m[name]
	if box == nil {
		return g.want(err, ErrNoMailbox)
	}
	if uid != box.next {
		g.Errorf("append to %s: got UID %d, want %d", name, uid, box.next)
	}
	c, err2 := newContent(n.Trace, n.Raw.Bytes(), "")
	c.hide = n.Hide
	box.msgs[uid] = modelMessage{n.Flags.String(), string(c.Bytes())}
	box.next++
	return errors.Join(err, err2)
}

func (g *gambler) want(err, want error) error {
	g.Helper()
	if !errors.Is(err, want) {
		g.Errorf("got %v, want %v", err, want)
	}
	return nil
}

func (g *gambler) setFlags(e *Edit, name string) error {
	uids := g.uids(name)
	g.r.Shuffle(len(uids), func(i, j int) { uids[i], uids[j] = uids[j], uids[i] })
	_, err := e.SetFlags(name, uids, func(m Message) Flags {
		if m.UID%2 == 0 {
			return m.Flags.With(NewFlags(Flagged, Seen))
		}
		return m.Flags.Without(NewFlags(Seen))
	})
	if !g.m.has(name) {
		return g.want(err, ErrNoMailbox)
	}
	for _, uid := range uids {
		if m, ok := g.m[name].msgs[uid]; ok {
			f, _ := parseFlags(m.flags)
			if uid%2 == 0 {
				f = f.With(NewFlags(Flagged, Seen))
			} else {
				f = f.Without(NewFlags(Seen))
			}
			m.flags = f.String()
			g.m[name].msgs[uid] = m
		}
	}
	return err
}

func (g *gambler) expunge(e *Edit, name string) error {
	uids := g.uids(name)
	gone, err := e.Expunge(name, uids, func(m Message) bool { return m.Flags.Has(Deleted) || m.UID%3 == 0 })
	if !g.m.has(name) {
		return g.want(err, ErrNoMailbox)
	}
	var want []UID
	for _, uid := range uids {
		if m, ok := g.m[name].msgs[uid]; ok && (strings.Contains(m.flags, `\Deleted`) || uid%3 == 0) {
			want = append(want, uid)
			delete(g.m[name].msgs, uid)
		}
	}
	if !slices.Equal(gone, want) {
		g.Errorf("expunge: got %v, want %v", gone, want)
	}
	return err
}

func (g *gambler) carry(e *Edit, name, to string, move bool) error {
	uids := g.uids(name)
	f := e.Copy
	if move {
		f = e.Move
	}
	got, err := f(name, uids, to)
	if !g.m.has(name) || !g.m.has(to) {
		return g.want(err, ErrNoMailbox)
	}
	var want []Moved
	for _, uid := range uids {
		m, ok := g.m[name].msgs[uid]
		if !ok {
			continue
		}
		if move {
			delete(g.m[name].msgs, uid)
		}
		target := g.m[to]
		target.msgs[target.next] = m
		want = append(want, Moved{uid, target.next})
		target.next++
	}
	if !slices.Equal(got, want) {
		g.Errorf("carry %s to %s: got %v, want %v", name, to, got, want)
	}
	return err
}

func (g *gambler) create(e *Edit, name string) error {
	err := e.Create(name, "")
	if g.m.has(name) {
		return g.want(err, ErrExists)
	}
	g.made(e, name)
	return err
}

// made notes that a mailbox was made, and those above it.
func (g *gambler) made(e *Edit, name string) {
	for i := range len(name) + 1 {
		if i < len(name) && name[i] != '/' || g.m.has(name[:i]) {
			continue
		}
		info, err := e.Info(name[:i])
		if err != nil {
			g.Error(err)
		}
		g.m[name[:i]] = &modelBox{info.UIDValidity, info.UIDNext, map[UID]modelMessage{}}
	}
}

func (g *gambler) remove(e *Edit, name string) error {
	err := e.Delete(name)
	switch {
	case name == Inbox:
		return g.want(err, ErrInbox)
	case !g.m.has(name):
		return g.want(err, ErrNoMailbox)
	}
	delete(g.m, name)
	return err
}

func (g *gambler) below(name string) bool {
	for other := range g.m {
		if strings.HasPrefix(other, name+"/") {
			return true
		}
	}
	return false
}

func (g *gambler) rename(e *Edit, name, to string) error {
	err := e.Rename(name, to)
	_, isName := errors.AsType[*NameError](err)
	switch {
	case !g.m.has(name) && !g.below(name):
		return g.want(err, ErrNoMailbox)
	case g.m.has(to) || g.below(to):
		return g.want(err, ErrExists)
	case strings.HasPrefix(to, name+"/") && isName:
		return nil
	}
	if name == Inbox {
		inbox := g.m[Inbox]
		above, _, nested := cutLast(to)
		if nested {
			g.made(e, above)
		}
		info, infoErr := e.Info(to)
		g.m[to] = &modelBox{info.UIDValidity, inbox.next, inbox.msgs}
		inbox.msgs = map[UID]modelMessage{}
		return errors.Join(err, infoErr)
	}
	moved := model{}
	for other, box := range g.m {
		if other == name || strings.HasPrefix(other, name+"/") {
			moved[to+other[len(name):]] = box
			delete(g.m, other)
		}
	}
	maps.Copy(g.m, moved)
	if above, _, nested := cutLast(to); nested {
		g.made(e, above)
	}
	return err
}

func cutLast(name string) (before, after string, ok bool) {
	i := strings.LastIndexByte(name, '/')
	if i < 0 {
		return "", name, false
	}
	return name[:i], name[i+1:], true
}

// within asks an Edit what it has done so far.
func (g *gambler) within(e *Edit) error {
	var used Quota
	for _, info := range e.Mailboxes() {
		box := g.m[info.Name]
		if !info.Selectable {
			continue
		}
		if box == nil || box.next != info.UIDNext || box.validity != info.UIDValidity || len(box.msgs) != info.Messages {
			g.Errorf("within the edit %s is %+v, want %+v", info.Name, info, box)
		}
		used.Bytes += info.Bytes
		used.Messages += int64(info.Messages)
		for uid, want := range box.msgs {
			c, err := e.Content(context.Background(), info.Name, uid)
			if err != nil || string(c.Bytes()) != want.text {
				g.Errorf("within the edit %s/%d is %q, %v, want %q", info.Name, uid, c.Bytes(), err, want.text)
			}
			break
		}
	}
	if e.Used() != used {
		g.Errorf("within the edit %+v is used, want %+v", e.Used(), used)
	}
	return nil
}
