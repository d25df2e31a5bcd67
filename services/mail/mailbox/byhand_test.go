package mailbox

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path"
	"strings"
	"testing"

	"cairn/store"
	"cairn/store/mem"
	"cairn/store/object"
)

// TestByHand has somebody do at random what people may do by hand, several things in a push, between deliveries: every file
// that is a message is one afterwards, in the mailbox in whose folder it lay, and no UID ever is another message.
func TestByHand(t *testing.T) {
	seeds, rounds := 6, 12
	if os.Getenv("CAIRN_LONG") == "1" {
		seeds, rounds = 40, 30
	}
	for seed := range seeds {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			k := newKit(t, mem.New(), Options{CacheBytes: []int64{1, 32 << 20}[seed%2]})
			h := hand{kit: k, r: rand.New(rand.NewPCG(uint64(seed), 3)), ever: map[string]store.Hash{}}
			for range rounds {
				h.round()
				if t.Failed() {
					return
				}
			}
		})
	}
}

// A hand edits a clone.
type hand struct {
	*kit
	r *rand.Rand
	n int // names given out

	ever map[string]store.Hash // contents by UIDVALIDITY and UID, for ever
}

func (h *hand) round() {
	h.Helper()
	for range 1 + h.r.IntN(30) {
		names := h.mailboxes()
		h.n++
		text := note(h.n)
		h.must(func(e *Edit) error { _, err := e.Append(names[h.r.IntN(len(names))], text); return err })
	}
	var want map[string]map[store.Hash]int
	err := h.push(func(tx *store.Tx) error {
		for range 1 + h.r.IntN(8) {
			if err := h.act(tx); err != nil {
				return err
			}
		}
		want = h.messages(tx)
		return nil
	})
	if err != nil {
		h.Errorf("what people may do was refused: %v", err)
		return
	}
	got := map[string]map[store.Hash]int{}
	for _, info := range h.snap().Mailboxes() {
		m, err := h.snap().Mailbox(info.Name)
		if err != nil {
			continue
		}
		if m.Info != info {
			h.Errorf("counted %+v, stored %+v", m.Info, info)
		}
		got[info.Name] = map[store.Hash]int{}
		for _, msg := range m.All() {
			got[info.Name][msg.Blob]++
			key := fmt.Sprint(info.UIDValidity, " ", msg.UID)
			if was, ok := h.ever[key]; ok && was != msg.Blob {
				h.Errorf("%s, UID %d was another message before", info.Name, msg.UID)
			}
			h.ever[key] = msg.Blob
		}
	}
	for name, messages := range want {
		if !maps.Equal(got[name], messages) {
			h.Errorf("%s: %d contents are there, want %d", name, len(got[name]), len(messages))
		}
	}
}

func (h *hand) mailboxes() (names []string) {
	for _, info := range h.snap().Mailboxes() {
		if info.Selectable {
			names = append(names, info.Name)
		}
	}
	return names
}

// files lists all files of a branch that is being edited.
func (h *hand) files(tx *store.Tx, dir string, list []string) []string {
	h.Helper()
	for e, err := range tx.Entries(dir) {
		switch at := dir + "/" + e.Name; {
		case err != nil:
			h.Fatal(err)
		case e.Mode == object.ModeDir:
			list = h.files(tx, at, list)
		default:
			list = append(list, at)
		}
	}
	return list
}

// boxOf is the folder of the mailbox that a message's file belongs to.
func boxOf(file string) string {
	dir := path.Dir(file)
	if _, ok := parseGroup(path.Base(dir)); ok {
		return path.Dir(path.Dir(dir))
	}
	return dir
}

// messages are the contents that people would say are in each mailbox.
func (h *hand) messages(tx *store.Tx) map[string]map[store.Hash]int {
	h.Helper()
	all := map[string]map[store.Hash]int{}
	for _, file := range h.files(tx, boxesDir, nil) {
		name := strings.TrimPrefix(boxOf(file), boxesDir+"/")
		if all[name] == nil {
			all[name] = map[store.Hash]int{}
		}
		if strings.HasSuffix(file, rawExt) {
			data, _, err := tx.Blob(file)
			if err != nil {
				h.Fatal(err)
			}
			all[name][store.NewBlob(internet(data)).Hash()]++
		}
	}
	return all
}

// act does one thing.
func (h *hand) act(tx *store.Tx) error {
	var messages, settled []string
	for _, file := range h.files(tx, boxesDir, nil) {
		if strings.HasSuffix(file, rawExt) {
			messages = append(messages, file)
			if boxOf(file) != path.Dir(file) {
				settled = append(settled, file)
			}
		}
	}
	h.n++
	new := fmt.Sprintf("new%d", h.n)
	boxes := []string{inbox, boxesDir + "/Archive", boxesDir + "/" + new, boxesDir + "/Archive/" + new}
	box := boxes[h.r.IntN(len(boxes))]
	if len(settled) == 0 {
		return nil
	}
	file := settled[h.r.IntN(len(settled))]
	switch h.r.IntN(7) {
	case 0: // git rm
		return tx.Remove(messages[h.r.IntN(len(messages))])
	case 1: // an editor
		return h.flag(tx, file)
	case 2:
		return tx.Put(box+"/"+new+rawExt, []byte("Subject: "+new+"\n\nHello\n"))
	case 3, 4: // git mv, with the trace perhaps
		return h.move(tx, file, box+"/"+new+rawExt)
	case 5: // cp -r, without mailbox.toml
		return h.copyBox(tx, boxOf(file), boxesDir+"/"+new)
	default:
		from := boxOf(file)
		if from == inbox || strings.Count(from, "/") > 1 {
			return nil
		}
		e, err := tx.Lookup(from)
		if err != nil {
			return err
		}
		if err := tx.Remove(from); err != nil || h.r.IntN(2) == 0 {
			return err
		}
		return tx.Link(boxesDir+"/"+new, e)
	}
}

// flag edits the line of a message.
func (h *hand) flag(tx *store.Tx, file string) error {
	uid := strings.TrimSuffix(path.Base(file), rawExt)
	at := path.Dir(file) + "/" + stateFile
	data, _, err := tx.Blob(at)
	if err != nil {
		return err
	}
	lines := strings.Split(string(data), "\n")
	for i, line := range lines {
		if fields := strings.Fields(line); len(fields) > 3 && fields[0] == uid {
			lines[i] = strings.Join([]string{uid, "?", fields[2], fields[3], `\Flagged`, fmt.Sprint("$k", h.n)}, " ")
		}
	}
	return tx.Put(at, []byte(strings.Join(lines, "\n")))
}

func (h *hand) move(tx *store.Tx, from, to string) error {
	e, err := tx.Lookup(from)
	if err != nil {
		return err
	}
	if err := tx.Link(to, e); err != nil {
		return err
	}
	if trace := strings.TrimSuffix(from, rawExt) + traceExt; h.r.IntN(2) == 0 {
		if _, err := tx.Lookup(trace); err == nil {
			if err := tx.Remove(trace); err != nil {
				return err
			}
		}
	}
	return tx.Remove(from)
}

func (h *hand) copyBox(tx *store.Tx, from, to string) error {
	for e, err := range tx.Entries(from) {
		if err != nil {
			return err
		}
		if _, ok := parseTop(e.Name); ok {
			if err := tx.Link(to+"/"+e.Name, e); err != nil {
				return err
			}
		}
	}
	return nil
}
