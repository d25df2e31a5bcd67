package gitwire

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"cairn/store"
)

// A round is one question of a negotiation.
type round struct {
	haves []store.Hash
	done  bool // the pack is to follow whatever is in common
	whole bool // wants and all are part of it: it is the first, or each question stands for itself
}

// A reply is what the remote says to a round.
type reply struct {
	acks  []store.Hash // those of the haves that it has
	ready bool         // it knows enough; in protocol v2 the pack follows
	pack  io.Reader    // nil when it does not follow
}

// negotiate asks until the remote sends the pack: once, where the local history
// has few ends.
func (t *fetching) negotiate(ctx context.Context) (io.Reader, error) {
	h, err := newHaves(ctx, t.g, t.f.Have)
	if err != nil {
		return nil, err
	}
	n := &round{haves: h.first, whole: true}
	n.done = h.whole || t.w.version != 2 && !t.w.can("multi_ack_detailed")
	var common []store.Hash
	known := make(map[store.Hash]bool)
	vain := 0
	for rounds, size := 1, 2*maxHaves; ; rounds, size = rounds+1, 2*size {
		a, err := t.ask(n)
		if err != nil || a.pack != nil {
			return a.pack, err
		}
		if n.done {
			return nil, errors.New("the remote sends no pack")
		}
		vain += len(n.haves)
		for _, c := range a.acks {
			if !known[c] {
				known[c] = true
				common = append(common, c)
				vain = 0
			}
			h.common(c)
		}
		more, err := h.next(ctx, size)
		if err != nil {
			return nil, err
		}
		n = &round{haves: more, whole: t.w.stateless() || t.w.version == 2}
		n.done = a.ready || len(more) == 0 || rounds == maxRounds || len(common) > 0 && vain > maxVain
		if n.done {
			n.haves = nil
		}
		if n.whole {
			n.haves = append(common[:len(common):len(common)], n.haves...)
		}
	}
}

// ask asks one question.
func (t *fetching) ask(n *round) (reply, error) {
	if t.w.version == 2 {
		return t.askV2(n)
	}
	return t.askV0(n)
}

// Bounds of what may come before a pack.
const (
	maxSections     = 8
	maxSectionLines = 1 << 18
)

// needs writes what all questions of a fetch have in common, as both protocols
// write it; caps go behind the first want.
func (t *fetching) needs(p *pktWriter, caps string) {
	for i, h := range t.wants {
		if i > 0 {
			caps = ""
		}
		p.linef("want %s%s\n", h, caps)
	}
	for _, h := range t.f.Shallow {
		p.linef("shallow %s\n", h)
	}
	if t.f.Depth > 0 {
		p.linef("deepen %d\n", t.f.Depth)
	}
	if t.f.Filter != "" {
		p.linef("filter %s\n", t.f.Filter)
	}
}

// askV2 runs the command fetch (gitprotocol-v2, "fetch").
func (t *fetching) askV2(n *round) (reply, error) {
	r, err := t.w.askV2("fetch", func(p *pktWriter) {
		if len(n.haves) > 0 {
			p.line("thin-pack\n")
		}
		p.line("ofs-delta\n")
		t.needs(p, "")
		for _, h := range n.haves {
			p.linef("have %s\n", h)
		}
		if n.done {
			p.line("done\n")
		}
	})
	if err != nil {
		return reply{}, err
	}
	var a reply
	for range maxSections {
		kind, line, err := t.w.line(r)
		switch {
		case err != nil:
			return a, err
		case kind == pktFlush:
			return a, nil
		case kind != pktData:
			return a, errors.New("malformed answer")
		}
		end := pktDelim
		switch line {
		case "packfile":
			a.pack = &bandReader{r: r, progress: t.w.progress}
			return a, nil
		case "acknowledgments":
			end, err = readSection(r, a.ack)
		case "shallow-info":
			t.got.Shallow, t.got.Unshallow = nil, nil
			end, err = readSection(r, t.shallowInfo)
		default:
			err = fmt.Errorf("the remote sends %q, which nobody has asked for", cut(line, 32))
		}
		if err != nil {
			return a, err
		}
		if end == pktFlush {
			return a, nil
		}
	}
	return a, errors.New("malformed answer")
}

// readSection calls f with each line of a section and returns what ends it.
func readSection(r *pktReader, f func(line string) error) (pktKind, error) {
	for range maxSectionLines {
		kind, line, err := remoteLine(r)
		if err != nil {
			return 0, err
		}
		if kind != pktData {
			return kind, nil
		}
		if err := f(line); err != nil {
			return 0, err
		}
	}
	return 0, errors.New("the remote does not stop talking")
}

// ack takes one line of an acknowledgment: NAK, ready, or ACK, a hash and, before
// protocol v2, what kind of one it is.
func (a *reply) ack(line string) error {
	switch line {
	case "NAK":
		return nil
	case "ready":
		a.ready = true
		return nil
	}
	rest, ok := strings.CutPrefix(line, "ACK ")
	hex, kind, _ := strings.Cut(rest, " ")
	h, isHash := parseHash(hex)
	if !ok || !isHash {
		return fmt.Errorf("malformed acknowledgment %q", cut(line, 64))
	}
	a.ready = a.ready || kind == "ready"
	a.acks = append(a.acks, h)
	return nil
}

// shallowInfo takes one line about where history is cut off.
func (t *fetching) shallowInfo(line string) error {
	word, hex, _ := strings.Cut(line, " ")
	h, ok := parseHash(hex)
	switch {
	case ok && word == "shallow":
		if t.f.Depth == 0 {
			// The remote's own history is cut off. That is for the caller to know and want.
			return fmt.Errorf("the remote's history is cut off at %s", h)
		}
		t.got.Shallow = append(t.got.Shallow, h)
	case ok && word == "unshallow":
		t.got.Unshallow = append(t.got.Unshallow, h)
	default:
		return fmt.Errorf("malformed line %q about where history ends", cut(line, 64))
	}
	return nil
}

// askV2 asks a question of protocol v2.
func (w *remoteWire) askV2(command string, arguments func(*pktWriter)) (*pktReader, error) {
	return w.ask(func(to io.Writer) error {
		p := newPktWriter(to)
		w.command(p, command)
		arguments(p)
		p.flush()
		return p.send()
	})
}
