package gitwire

import (
	"context"
	"io"
	"strings"

	"cairn/store"
)

// An ackTalk is the part of a v0 conversation in which the client says what it
// has, in rounds that each end with a flush.
type ackTalk struct {
	u     *upload
	n     *negotiation
	modes v0Modes

	last    store.Hash // the last common commit
	common  bool       // this round brought one
	unknown bool       // this round brought one that is not common
	ready   bool       // the client has been told that it may stop
}

// acknowledge reads haves and answers them. It reports whether the pack is to
// follow; over HTTP most requests end before.
func (u *upload) acknowledge(ctx context.Context, n *negotiation, modes v0Modes) (bool, error) {
	talk := &ackTalk{u: u, n: n, modes: modes}
	for first := true; ; first = false {
		kind, line, err := u.r.text()
		if err == io.EOF && first && u.stateless {
			return false, nil // the client only wanted to know what is shallow
		}
		if err != nil {
			return false, err
		}
		switch {
		case kind != pktData:
			if pack, err := talk.endRound(ctx); err != nil || pack || u.stateless {
				return pack, err
			}
		case line == "done":
			talk.done()
			return true, nil
		default:
			if err := talk.have(ctx, line); err != nil {
				return false, err
			}
		}
	}
}

// endRound answers a flush; true when the pack follows without a done.
func (t *ackTalk) endRound(ctx context.Context) (bool, error) {
	if t.modes.ack == ackDetailed && t.common && !t.unknown {
		enough, err := t.n.sufficient(ctx)
		if err != nil {
			return false, err
		}
		if enough {
			t.ready = true
			t.u.w.linef("ACK %s ready\n", t.last)
		}
	}
	if !t.n.any() || t.modes.ack != ackFirst {
		t.u.w.line("NAK\n")
	}
	if t.modes.noDone && t.ready {
		t.u.w.linef("ACK %s\n", t.last)
		return true, nil
	}
	t.common, t.unknown = false, false
	return false, t.u.turn()
}

// done answers the end of the client's list.
func (t *ackTalk) done() {
	switch {
	case !t.n.any():
		t.u.w.line("NAK\n")
	case t.modes.ack != ackFirst:
		t.u.w.linef("ACK %s\n", t.last)
	}
}

// have answers one have line.
func (t *ackTalk) have(ctx context.Context, line string) error {
	arg, isHave := strings.CutPrefix(line, "have ")
	h, isHash := parseHash(arg)
	if !isHave || !isHash {
		return badRequest("upload-pack: expected SHA1 list, got %.256q", line)
	}
	first := !t.n.any()
	ok, err := t.n.have(ctx, h)
	if err != nil {
		return err
	}
	if !ok {
		return t.notCommon(ctx, h)
	}
	t.common, t.last = true, h
	switch {
	case t.modes.ack == ackDetailed:
		t.u.w.linef("ACK %s common\n", h)
	case t.modes.ack == ackMulti:
		t.u.w.linef("ACK %s continue\n", h)
	case first:
		t.u.w.linef("ACK %s\n", h)
	}
	return nil
}

// notCommon tells the client to stop when what is common suffices: it has begun
// to list what only it has.
func (t *ackTalk) notCommon(ctx context.Context, h store.Hash) error {
	t.unknown = true
	if t.modes.ack == ackFirst || t.n.acks >= maxAcks {
		return nil
	}
	enough, err := t.n.sufficient(ctx)
	if err != nil || !enough {
		return err
	}
	t.n.acks++
	if t.modes.ack == ackDetailed {
		t.ready = true
		t.u.w.linef("ACK %s ready\n", h)
	} else {
		t.u.w.linef("ACK %s continue\n", h)
	}
	return nil
}
