package gitwire

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"cairn/store"
	"cairn/store/object"
)

// A PushRequest says what to push.
type PushRequest struct {
	// Commands move refs. Each Old is what the ref is taken to be at the remote;
	// it is sent as it is, and the remote compares. Forced is not looked at: that a ref
	// may lose commits is what Old is for.
	Commands []Command

	// Objects are all that the remote lacks of what the commands name.
	Objects []object.Object

	// From, when it is not nil, stands in the place of Objects: what the commands'
	// New reach and Have do not is read from it and streamed, as it is stored where From
	// is store.Packed. It takes about 75 bytes of memory for each object and 150 for
	// each commit walked over.
	From store.Objects

	// Have are commits (or tags of such) that the remote has with all they reach;
	// deltas may lean on them. What From lacks of them is passed over: of a history
	// that is cut off below Have nothing more is needed.
	Have []store.Hash

	Options []string // push options

	// Partial has each command carried out on its own: what the remote refuses does
	// not keep it from the others. Without it a remote that knows no atomic pushes is refused.
	Partial bool
}

// Push moves refs at the remote: all of them or, with Partial, each on its
// own. It returns nil when the remote has said of all that they have moved.
//
// Otherwise the error says for each ref what became of it. Where it holds a
// *RejectedError for a ref, that has certainly not moved. Where it is ErrInDoubt,
// those of the others may have moved, or may move yet. Where it is neither,
// such as store.ErrTemporary alone, certainly nothing has happened. (One error can
// hold several: with Partial, those not named by a *RejectedError have moved.)
//
// A push on a warm connection sends no request for the advertisement, nor is
// any looked at for what refs are. All servers of git's own family compare Old when
// they move the ref, under its lock: git, and with it GitLab, Gitea and such; JGit and
// Gerrit; GitHub; ours. Those written with go-git's transport/server up to v5 and v6-alpha do not: they
// move a ref from whatever it is. They give themselves away by their agent and are refused.
func (r *Remote) Push(ctx context.Context, p PushRequest) error {
	err := p.check()
	if err == nil {
		err = r.push(ctx, &p)
	}
	if err != nil {
		return fmt.Errorf("push to %s: %w", r, err)
	}
	return nil
}

// check refuses requests that make no sense for any remote.
func (p *PushRequest) check() error {
	if len(p.Commands) == 0 {
		return errors.New("nothing to push")
	}
	if p.From != nil && len(p.Objects) > 0 {
		return errors.New("objects from two sources")
	}
	seen := make(map[string]bool)
	for _, c := range p.Commands {
		if !validRemoteRef(c.Name) || c.Name == "HEAD" || seen[c.Name] {
			return fmt.Errorf("invalid or repeated ref %q", c.Name)
		}
		if c.Old.IsZero() && c.New.IsZero() {
			return fmt.Errorf("%s: neither an old nor a new value", c.Name)
		}
		seen[c.Name] = true
	}
	for _, o := range p.Options {
		if strings.ContainsAny(o, "\n\x00") || len(o) > pktPayloadMax {
			return errors.New("malformed push option")
		}
	}
	return nil
}

// deletes reports whether a ref is to be deleted, creates whether any pack is needed.
func (p *PushRequest) deletes() (deletes, creates bool) {
	for _, c := range p.Commands {
		if c.New.IsZero() {
			deletes = true
		} else {
			creates = true
		}
	}
	return deletes, creates
}

// atomic reports whether all refs have to move or none.
func (p *PushRequest) atomic() bool { return len(p.Commands) > 1 && !p.Partial }

// maxStale is how many kept conversations may turn out to be dead in a row.
const maxStale = 4

func (r *Remote) push(ctx context.Context, p *PushRequest) error {
	pack, err := preparePack(ctx, p)
	if err != nil {
		return err
	}
	for stale := 0; ; stale++ {
		w, err := r.wire.open(ctx, pushService, false)
		if err != nil {
			return err
		}
		if err := w.pushable(p); err != nil {
			w.close()
			if !w.kept || stale > maxStale {
				return err
			}
			r.wire.forget(pushService) // the host may have learned since
			continue
		}
		answered, err := r.pushOn(ctx, w, p, pack)
		if answered {
			return err
		}
		again := w.kept && !w.stateless() && !w.began() && stale <= maxStale && ctx.Err() == nil
		w.close()
		if !again {
			return err
		}
	}
}

// pushOn sends the push in one conversation. answered says that the remote has
// reported on each ref, and that the rest of the conversation is taken care of.
func (r *Remote) pushOn(ctx context.Context, w *remoteWire, p *PushRequest, pack *outgoingPack) (answered bool, err error) {
	bands := w.can("side-band-64k")
	answer, err := w.ask(func(to io.Writer) error { return w.writePush(ctx, to, p, pack) })
	var rep *report
	b := &bandReader{r: answer, progress: w.progress}
	if err == nil {
		if bands {
			answer = newPktReader(b)
		}
		rep, err = readReport(answer, p.Commands)
	}
	if err != nil {
		err = w.wrong(err)
		r.wire.forget(pushService)
		if w.sent() {
			err = inDoubt(err)
		}
		return false, err
	}
	r.settle(w, rest(bands, b, answer))
	err = rep.verdict(p.Commands, p.atomic())
	if errors.Is(err, ErrInDoubt) || errors.Is(err, ErrNotAtomic) {
		r.wire.forget(pushService) // it is not the host that it was
	}
	return true, err
}

// rest reads what follows a report.
func rest(bands bool, b *bandReader, plain *pktReader) func() error {
	if bands {
		return b.finish
	}
	return func() error {
		_, err := io.CopyN(io.Discard, plain.rest(), maxTrailing)
		return err
	}
}

// inDoubt makes an error one of a push that may have been carried out.
func inDoubt(err error) error { return fmt.Errorf("%w: %w", ErrInDoubt, err) }

// comparesOld refuses hosts that are known not to compare old values.
func (w *remoteWire) comparesOld() error {
	if a := w.caps["agent"]; strings.HasPrefix(a, "go-git/") {
		return fmt.Errorf("the remote (%s) moves refs without comparing their old value: %w", cut(a, 32), errors.ErrUnsupported)
	}
	return nil
}

// pushable refuses what the remote does not support.
func (w *remoteWire) pushable(p *PushRequest) error {
	if err := w.comparesOld(); err != nil {
		return err
	}
	deletes, _ := p.deletes()
	switch {
	case !w.can("report-status"):
		return fmt.Errorf("the remote does not report what becomes of a push: %w", errors.ErrUnsupported)
	case p.atomic() && !w.can("atomic"):
		return ErrNotAtomic
	case len(p.Options) > 0 && !w.can("push-options"):
		return fmt.Errorf("the remote takes no push options: %w", errors.ErrUnsupported)
	case deletes && !w.can("delete-refs"):
		return fmt.Errorf("the remote does not let refs be deleted: %w", errors.ErrUnsupported)
	}
	return nil
}

// writePush writes the commands, the options and the pack.
func (w *remoteWire) writePush(ctx context.Context, to io.Writer, p *PushRequest, pack *outgoingPack) error {
	caps := " report-status"
	if w.can("side-band-64k") {
		caps += " side-band-64k"
	}
	if p.atomic() {
		caps += " atomic"
	}
	if len(p.Options) > 0 {
		caps += " push-options"
	}
	if w.can("object-format") {
		caps += " object-format=sha1"
	}
	if w.can("agent") {
		caps += " agent=" + agent
	}
	lines := newPktWriter(to)
	for i, c := range p.Commands {
		if i == 0 {
			lines.linef("%s %s %s\x00%s", c.Old, c.New, c.Name, caps)
		} else {
			lines.linef("%s %s %s", c.Old, c.New, c.Name)
		}
	}
	lines.flush()
	if len(p.Options) > 0 {
		for _, o := range p.Options {
			lines.line(o)
		}
		lines.flush()
	}
	if err := lines.send(); err != nil {
		return err
	}
	if _, creates := p.deletes(); !creates {
		return nil
	}
	return pack.write(ctx, to, !w.can("no-thin"), w.can("ofs-delta"))
}
