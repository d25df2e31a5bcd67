package gitwire

import (
	"context"
	"io"
	"strings"

	"cairn/store"
)

// serveV2 advertises the capabilities or answers commands of protocol v2
// (gitprotocol-v2): one over HTTP, else until the client hangs up.
func (u *upload) serveV2(ctx context.Context, advertise bool) error {
	if advertise || !u.stateless {
		if err := advertiseV2(u.v, u.w); err != nil || u.stateless {
			return err
		}
	}
	for {
		u.packing = false
		more, err := u.command(ctx)
		if err != nil || !more || u.stateless {
			return err
		}
		u.close()
	}
}

// command answers one command; false when there is none.
func (u *upload) command(ctx context.Context) (bool, error) {
	kind, line, err := u.r.text()
	if err == io.EOF || err == nil && kind == pktFlush {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	name, ok := strings.CutPrefix(line, "command=")
	if kind != pktData || !ok {
		return false, badRequest("upload-pack: expected a command, got %.256q", line)
	}
	args, err := u.readOptions()
	if err != nil {
		return false, err
	}
	if err := u.open(ctx); err != nil {
		return false, err
	}
	switch name {
	case "ls-refs":
		return true, u.lsRefs(ctx, args)
	case "fetch":
		return true, u.fetch(ctx, args)
	case waitCommand:
		if u.v.waits != nil {
			return true, u.wait(ctx, args)
		}
	}
	return false, badRequest("invalid command %.64q", name)
}

// readOptions reads the capabilities behind a command and reports whether
// arguments follow.
func (u *upload) readOptions() (args bool, err error) {
	for range maxExcludes {
		kind, line, err := u.r.text()
		switch {
		case err != nil:
			return false, err
		case kind == pktFlush:
			return false, nil
		case kind == pktDelim:
			return true, nil
		case kind != pktData:
			return false, badRequest("upload-pack: unexpected end of a response")
		}
		if format, ok := strings.CutPrefix(line, "object-format="); ok && format != "sha1" {
			return false, badRequest("object format %.64q is not supported, only sha1", format)
		}
	}
	return false, badRequest("upload-pack: more than %d capabilities", maxExcludes)
}

// arguments calls f with each argument of a command, up to the flush.
func (u *upload) arguments(args bool, f func(line string) error) error {
	for args {
		kind, line, err := u.r.text()
		if err != nil {
			return err
		}
		if kind == pktFlush {
			break
		}
		if kind != pktData {
			return badRequest("upload-pack: expected flush after arguments")
		}
		if err := f(line); err != nil {
			return err
		}
	}
	return nil
}

// fetch answers what to send, or which of the haves are common
// (gitprotocol-v2, "fetch").
func (u *upload) fetch(ctx context.Context, args bool) error {
	q := &uploadRequest{bands: bands64k}
	n := &negotiation{u: u, budget: maxJudge}
	var done, wait, haves bool
	var common []store.Hash
	err := u.arguments(args, func(line string) error {
		if arg, ok := strings.CutPrefix(line, "have "); ok {
			haves = true
			h, ok := parseHash(arg)
			if !ok {
				return badRequest("upload-pack: expected an object ID, got %.256q", line)
			}
			known, err := n.have(ctx, h)
			if known {
				common = append(common, h)
			}
			return err
		}
		switch line {
		case "done":
			done = true
		case "wait-for-done":
			wait = true
		case "thin-pack":
			q.thin = true
		case "ofs-delta":
			q.ofsDelta = true
		case "include-tag":
			q.includeTag = true
		case "no-progress":
			q.noProgress = true
		case "deepen-relative":
			q.relative = true
		default:
			ok, err := q.argument(line)
			if err == nil && !ok {
				err = badRequest("upload-pack: unexpected line: %.256q", line)
			}
			return err
		}
		return nil
	})
	if err != nil {
		return err
	}
	if len(q.wants) == 0 && !wait {
		return u.w.send()
	}
	if err := u.checkWants(ctx, q.wants); err != nil {
		return err
	}
	if n.wants, err = u.wantCommits(ctx, q.wants); err != nil {
		return err
	}
	if haves && !done {
		ready, err := u.acknowledgments(ctx, n, common, wait)
		if err != nil || !ready {
			return err
		}
	}
	cut, err := u.cut(ctx, q)
	if err != nil {
		return err
	}
	if q.deepens() || len(q.shallows) > 0 {
		u.w.line("shallow-info\n")
		cut.tell(u.w)
		u.w.delim()
	}
	u.w.line("packfile\n")
	return u.sendPack(ctx, q, cut, n)
}

// acknowledgments writes that section and reports whether the pack follows.
func (u *upload) acknowledgments(ctx context.Context, n *negotiation, common []store.Hash, wait bool) (bool, error) {
	u.w.line("acknowledgments\n")
	if len(common) == 0 {
		u.w.line("NAK\n")
	}
	for _, h := range common {
		u.w.linef("ACK %s\n", h)
	}
	enough, err := n.sufficient(ctx)
	if err != nil {
		return false, err
	}
	if enough && !wait && n.any() {
		u.w.line("ready\n")
		u.w.delim()
		return true, nil
	}
	u.w.flush()
	return false, u.w.send()
}
