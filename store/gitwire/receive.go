package gitwire

import (
	"context"
	"errors"
	"io"

	"cairn/store"
)

// serveReceive runs receive-pack for one client over a pair of streams. proto
// is 0 or 1; 2 has no push and counts as 0, as in git. A stateless caller (HTTP)
// asks either for the advertisement or for the answer to one request; a stateful
// one (SSH) asks for both. The client has been told what went wrong when
// serveReceive returns; the error is for the log.
func serveReceive(ctx context.Context, v *View, proto int, in io.Reader, out io.Writer, stateless, advertise bool) error {
	return guard(func() error {
		if advertise || !stateless {
			if err := advertiseReceive(ctx, v, proto, out); err != nil || stateless {
				return err
			}
		}
		return answerReceive(ctx, v, in, out, stateless)
	})
}

func answerReceive(ctx context.Context, v *View, in io.Reader, out io.Writer, stateless bool) error {
	p := &receiving{view: v, in: newPktReader(in), out: out, unpacked: "ok"}
	var err error
	p.request, err = readReceiveRequest(p.in)
	switch {
	case errors.Is(err, errHungUp):
		return nil
	case err != nil:
		p.fatal(clientText(err))
		return err
	case len(p.request.commands) == 0:
		return nil
	}
	if p.request.bands {
		p.bands = newSideband(out, false)
	}
	p.stateless = stateless
	return p.run(ctx)
}

// A receiving is one push on its way from the request to the report.
type receiving struct {
	view    *View
	in      *pktReader
	out     io.Writer
	bands   *sideband // nil when the client did not ask for it
	request *receiveRequest

	stateless bool // the client sends all it has to say before it reads

	commands []*receivedCommand
	unpacked string // "ok", or why the pack was not taken
	packRead bool
	push     *Push
	pack     store.Quarantine // nil without a pack
	reach    *reach           // what the pusher may lean on
}

// A receivedCommand is a command and what becomes of it.
type receivedCommand struct {
	Command
	real    string // its name in the backend
	refused string // why it does not take effect; the first reason stays
	forward bool   // New is known to descend from Old
	moved   bool   // it has taken effect
}

func (c *receivedCommand) refuse(reason string) {
	if c.refused == "" && !c.moved {
		c.refused = reason
	}
}

// run takes the push through its stages. What fails in one refuses
// commands; only those that stand reach the next.
func (p *receiving) run(ctx context.Context) error {
	defer func() {
		if p.pack != nil {
			p.pack.Discard()
		}
	}()
	err := p.decide(ctx)
	if err != nil {
		p.refuseAll(clientText(err))
	}
	if p.stateless {
		err = errors.Join(err, p.drain())
	}
	if reportErr := p.report(); reportErr != nil {
		err = errors.Join(err, reportErr)
	}
	if done := p.moved(); len(done) > 0 && p.view.Done != nil {
		// The refs have moved: this has to be known even if the pusher has gone.
		p.push.Commands = commandsOf(done)
		p.view.Done(context.WithoutCancel(ctx), p.push)
	}
	if p.bands != nil {
		err = errors.Join(err, p.bands.flush())
	}
	if !p.stateless {
		err = errors.Join(err, p.drain())
	}
	return err
}

// decide does everything up to the report. An error is one that the pusher has
// nothing to do with.
func (p *receiving) decide(ctx context.Context) error {
	refs, err := shownRefs(ctx, p.view)
	if err != nil {
		return err
	}
	p.reach = newReach(newGraph(p.view.Backend), refs)
	if err := p.admit(ctx); err != nil {
		return err
	}
	p.keepAtomic()
	if len(p.standing()) == 0 {
		return nil
	}
	p.push = &Push{
		User:     p.view.User,
		Commands: p.request.commands,
		Options:  p.request.options,
		Objects:  p.view.Backend,
		Progress: p.progress(),
	}
	if p.request.needsPack() {
		if err := p.unpack(ctx); err != nil {
			return err
		}
	}
	if p.stateless {
		p.readEnd()
	}
	defer p.beAlive()()
	if err := p.check(ctx); err != nil {
		return err
	}
	return p.apply(ctx)
}

// standing returns the commands that nothing has refused.
func (p *receiving) standing() []*receivedCommand {
	var list []*receivedCommand
	for _, c := range p.commands {
		if c.refused == "" {
			list = append(list, c)
		}
	}
	return list
}

// moved returns the commands that have taken effect.
func (p *receiving) moved() []*receivedCommand {
	var list []*receivedCommand
	for _, c := range p.commands {
		if c.moved {
			list = append(list, c)
		}
	}
	return list
}

func commandsOf(list []*receivedCommand) []Command {
	commands := make([]Command, len(list))
	for i, c := range list {
		commands[i] = c.Command
	}
	return commands
}

func (p *receiving) refuseAll(reason string) {
	for _, c := range p.commands {
		c.refuse(reason)
	}
}

// keepAtomic refuses all commands of an atomic push when one is refused.
func (p *receiving) keepAtomic() {
	if p.request.atomic && len(p.standing()) < len(p.commands) {
		p.refuseAll("atomic push failure")
	}
}
