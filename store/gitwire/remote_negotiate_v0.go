package gitwire

import (
	"errors"
	"io"
	"strings"
)

// askV0 asks in protocol v0 or v1 (gitprotocol-pack, "Packfile Negotiation"). Over a
// stream only the first question says what is wanted, and only its answer says
// where history ends.
func (t *fetching) askV0(n *round) (reply, error) {
	multi := t.w.can("multi_ack_detailed")
	noDone := multi && t.w.can("no-done")
	r, err := t.w.ask(func(to io.Writer) error {
		p := newPktWriter(to)
		if n.whole {
			t.needs(p, t.capsV0())
			p.flush()
		}
		for _, h := range n.haves {
			p.linef("have %s\n", h)
		}
		if n.done {
			p.line("done\n")
		} else {
			p.flush()
		}
		return p.send()
	})
	if err != nil {
		return reply{}, err
	}
	if n.whole && t.f.Depth > 0 {
		t.got.Shallow, t.got.Unshallow = nil, nil
		if end, err := readSection(r, t.shallowInfo); err != nil || end != pktFlush {
			return reply{}, errors.Join(err, errAcks(end != pktFlush))
		}
	}
	t.w.heard = true
	a, err := readAcks(r, n.done, multi, noDone)
	if err != nil || !(n.done || noDone && a.ready) {
		return a, err
	}
	if t.w.can("side-band-64k") {
		a.pack = &bandReader{r: r, progress: t.w.progress}
	} else {
		a.pack = r.rest()
	}
	return a, nil
}

// errAcks is the error of an answer in which something else should have come.
func errAcks(wrong bool) error {
	if wrong {
		return errors.New("malformed answer to what was asked for")
	}
	return nil
}

// capsV0 are the capabilities that a fetch uses.
func (t *fetching) capsV0() string {
	caps := ""
	for _, name := range []string{"multi_ack_detailed", "no-done", "side-band-64k", "thin-pack", "ofs-delta", "filter", "object-format"} {
		switch {
		case !t.w.can(name), name == "no-done" && !t.w.can("multi_ack_detailed"), name == "filter" && t.f.Filter == "":
		case name == "object-format":
			caps += " object-format=sha1"
		default:
			caps += " " + name
		}
	}
	if t.w.can("agent") {
		caps += " agent=" + agent
	}
	return caps
}

// readAcks reads acknowledgments. Those of a question that ends with done end with
// NAK or with an ACK that says no more; those of another with NAK, behind which an
// ACK without more announces the pack if the remote is ready and there need be no
// done. Without multi_ack_detailed exactly one line comes.
func readAcks(r *pktReader, done, multi, noDone bool) (reply, error) {
	var a reply
	for range maxSectionLines {
		kind, line, err := remoteLine(r)
		if err != nil {
			return a, err
		}
		if kind != pktData {
			return a, errAcks(true)
		}
		if err := a.ack(line); err != nil {
			return a, err
		}
		last := !multi || line == "NAK" || strings.Count(line, " ") == 1
		switch {
		case !last:
		case done:
			return a, nil
		case line == "NAK" && !(noDone && a.ready):
			return a, nil
		case line != "NAK":
			return a, errAcks(!(noDone && a.ready))
		}
	}
	return a, errors.New("the remote does not stop talking")
}
