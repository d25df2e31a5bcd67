// Package mail measures a mail server beside Postfix and Dovecot: what comes in by SMTP until it is in
// mailboxes, and what mail programs ask of a mailbox that is as large as the size says.
package mail

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"

	"cairn/bench/measure"
)

// Run measures at each of the room's sizes.
func Run(ctx context.Context, room *measure.Room) error {
	for _, tool := range []string{"postfix", "dovecot", "smtp-source"} {
		if _, err := exec.LookPath(tool); err != nil {
			return fmt.Errorf("%w: install postfix, dovecot-imapd and dovecot-lmtpd", err)
		}
	}
	for _, size := range room.Sizes {
		for _, stage := range []struct {
			name string
			do   func(*bench, context.Context) error
		}{{"ingest", (*bench).ingest}, {"imap", (*bench).imap}, {"idle", (*bench).idle}} {
			if err := room.Stage(ctx, stage.name, size, func(ctx context.Context, dir string, size int) error {
				return measured(ctx, room, dir, size, stage.do)
			}); err != nil {
				return err
			}
		}
	}
	return nil
}

// A bench compares two servers, in each of which alice's inbox has so many messages.
type bench struct {
	room       *measure.Room
	ours, peer server
	size       int
}

// A server is one of the two.
type server interface {
	smtp() string               // host:port that takes mail in
	imap() string               // host:port of IMAP
	login() (user, pw string)   // alice's
	address() string            // to which mail for her is sent
	resident() (float64, error) // bytes of memory of all its processes
	stop()
}

func measured(ctx context.Context, room *measure.Room, dir string, size int, do func(*bench, context.Context) error) error {
	b := &bench{room: room, size: size}
	ours, err := cairn(ctx, filepath.Join(dir, "cairn"), size)
	if ours != nil {
		defer ours.stop()
	}
	if err != nil {
		return err
	}
	peer, err := dovecot(ctx, filepath.Join(dir, "dovecot"), size)
	if peer != nil {
		defer peer.stop()
	}
	if err != nil {
		return err
	}
	b.ours, b.peer = ours, peer
	for _, s := range []server{ours, peer} {
		n, err := count(ctx, s)
		if err == nil && n != size {
			err = fmt.Errorf("%d messages in place of %d", n, size)
		}
		if err != nil {
			return errors.Join(fmt.Errorf("%T: %w", s, err))
		}
	}
	return do(b, ctx)
}

// turn measures both servers in turn and takes the result.
func (b *bench) turn(what string, unit measure.Unit, goal float64, do func(server) (float64, error)) error {
	ours, theirs, err := measure.InTurn(b.room.Rounds,
		func() (float64, error) { return do(b.ours) },
		func() (float64, error) { return do(b.peer) })
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	b.room.Add(measure.Result{Work: what, Size: b.size, Unit: unit, Ours: ours, Peer: theirs, Tool: "postfix, dovecot", Goal: measure.Goal{Ratio: goal}})
	return nil
}
