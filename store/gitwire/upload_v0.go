package gitwire

import (
	"context"
	"io"
	"strconv"
	"strings"

	"github.com/go-git/go-git/v5/plumbing/protocol/packp/capability"
)

// An ackMode is how a client of protocol v0 wants to be answered.
type ackMode byte

const (
	ackFirst    ackMode = iota // one ACK, for the first common commit
	ackMulti                   // multi_ack
	ackDetailed                // multi_ack_detailed
)

// serveV0 answers one request of protocol v0 or v1 (gitprotocol-pack, "Packfile
// Negotiation").
func (u *upload) serveV0(ctx context.Context) error {
	q := &uploadRequest{}
	modes, err := u.readNeeds(q)
	if err != nil || len(q.wants) == 0 {
		return err
	}
	if err := u.checkWants(ctx, q.wants); err != nil {
		return err
	}
	cut, err := u.cut(ctx, q)
	if err != nil {
		return err
	}
	if q.deepens() {
		cut.tell(u.w)
		u.w.flush()
		if err := u.turn(); err != nil {
			return err
		}
	}
	n, err := u.negotiate(ctx, q.wants)
	if err != nil {
		return err
	}
	pack, err := u.acknowledge(ctx, n, modes)
	if err != nil {
		return err
	}
	if !pack {
		return u.w.send()
	}
	return u.sendPack(ctx, q, cut, n)
}

// turn sends what has been written where the client waits for it. Over HTTP it
// waits for the end of the request, which has to be read whole first.
func (u *upload) turn() error {
	if u.stateless {
		return nil
	}
	return u.w.send()
}

// v0Modes are the capabilities that steer the negotiation.
type v0Modes struct {
	ack    ackMode
	noDone bool
	filter bool
}

// readNeeds reads the request up to the flush before the haves.
func (u *upload) readNeeds(q *uploadRequest) (v0Modes, error) {
	var modes v0Modes
	for first := true; ; first = false {
		kind, line, err := u.r.text()
		if first && err == io.EOF {
			return modes, errHungUp
		}
		if err != nil {
			return modes, err
		}
		if kind != pktData {
			return modes, nil
		}
		if want, ok := strings.CutPrefix(line, "want "); ok {
			hash, caps, _ := strings.Cut(want, " ")
			q.readCapabilities(&modes, caps)
			line = "want " + hash
		}
		if strings.HasPrefix(line, "filter ") && !modes.filter {
			return modes, badRequest("upload-pack: filtering capability not negotiated")
		}
		ok, err := q.argument(line)
		if err != nil {
			return modes, err
		}
		if !ok {
			return modes, badRequest("upload-pack: protocol error, expected to get object ID, not %.256q", line)
		}
	}
}

// readCapabilities reads what follows a want's hash.
func (q *uploadRequest) readCapabilities(modes *v0Modes, caps string) {
	for c := range strings.FieldsSeq(caps) {
		switch capability.Capability(c) {
		case capability.MultiACKDetailed:
			modes.ack = ackDetailed
		case capability.MultiACK:
			modes.ack = max(modes.ack, ackMulti)
		case capability.NoDone:
			modes.noDone = true
		case capability.Filter:
			modes.filter = true
		case capability.ThinPack:
			q.thin = true
		case capability.OFSDelta:
			q.ofsDelta = true
		case capability.Sideband64k:
			q.bands = bands64k
		case capability.Sideband:
			q.bands = max(q.bands, bandsOld)
		case capability.NoProgress:
			q.noProgress = true
		case capability.IncludeTag:
			q.includeTag = true
		case capability.DeepenRelative:
			q.relative = true
		}
	}
}

// argument reads one line of a request that v0 and v2 have in common; false
// when it is none of them.
func (q *uploadRequest) argument(line string) (bool, error) {
	word, arg, _ := strings.Cut(line, " ")
	switch word {
	case "want":
		h, ok := parseHash(arg)
		if !ok {
			return false, badRequest("upload-pack: protocol error, expected to get object ID, not %.256q", line)
		}
		if len(q.wants) >= maxWants {
			return false, badRequest("upload-pack: more than %d wants", maxWants)
		}
		q.wants = append(q.wants, h)
	case "shallow":
		h, ok := parseHash(arg)
		if !ok {
			return false, badRequest("upload-pack: invalid shallow line: %.256q", line)
		}
		if len(q.shallows) >= maxShallows {
			return false, badRequest("upload-pack: more than %d shallow lines", maxShallows)
		}
		q.shallows = append(q.shallows, h)
	case "deepen":
		n, err := strconv.ParseInt(arg, 10, 32)
		if err != nil || n <= 0 {
			return false, badRequest("upload-pack: invalid deepen: %.256q", line)
		}
		q.depth = int(n)
	case "deepen-since":
		n, err := strconv.ParseInt(arg, 10, 64)
		if err != nil || n < 0 {
			return false, badRequest("upload-pack: invalid deepen-since: %.256q", line)
		}
		q.since, q.hasSince = n, true
	case "deepen-not":
		if len(q.excludes) >= maxExcludes {
			return false, badRequest("upload-pack: more than %d deepen-not lines", maxExcludes)
		}
		q.excludes = append(q.excludes, arg)
	case "filter":
		f, err := parseFilter(arg)
		if err != nil {
			return false, err
		}
		q.filter = f
	default:
		return false, nil
	}
	return true, nil
}
