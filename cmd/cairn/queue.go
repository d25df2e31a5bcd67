package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"text/tabwriter"

	"cairn/services/mail/queue"
)

type queueCommands struct {
	List    queueList    `cmd:"" help:"Mail that has not left yet, and why."`
	Retry   queueRetry   `cmd:"" help:"Try again now: those named, or all."`
	Drop    queueDrop    `cmd:"" help:"Forget messages. Nobody is told."`
	Hold    queueHold    `cmd:"" help:"Keep messages from being sent."`
	Release queueRelease `cmd:"" help:"Send what was held."`
}

// queue is the house's, for looking at and for orders: it sends nothing.
func (h *house) queue() *queue.Queue { return queue.Open(h.repo, h.secrets, queue.Options{}) }

type queueList struct{}

func (c *queueList) Run(ctx context.Context, h home, term terminal) error {
	return withHouse(ctx, h, func(house *house) error {
		var errs []error
		n := 0
		w := tabwriter.NewWriter(term.out, 0, 0, 2, ' ', 0)
		for item, err := range house.queue().List(ctx) {
			if err != nil {
				errs = append(errs, err)
				continue
			}
			n++
			when := "next try " + item.Next.Local().Format("2 Jan 15:04")
			if item.Held {
				when = "held"
			}
			for i, to := range item.To {
				if i > 0 {
					fmt.Fprintf(w, "\t\t%s\t\t%s\n", to.Address, to.Answer)
					continue
				}
				fmt.Fprintf(w, "%s\t%s\t%s\t%d tries, %s\t%s\n", item.ID, senderOf(item.From), to.Address, item.Attempts, when, to.Answer)
			}
		}
		if err := w.Flush(); err != nil {
			return err
		}
		if n == 0 && len(errs) == 0 {
			fmt.Fprintln(term.err, "Nothing waits.")
		}
		return errors.Join(errs...)
	})
}

// senderOf is a sender; a report has none.
func senderOf(from string) string {
	if from == "" {
		return "<>"
	}
	return from
}

// order gives an order about messages of the queue.
func order(ctx context.Context, h home, ids []string, f func(*queue.Queue) error) error {
	return withHouse(ctx, h, func(house *house) error {
		err := f(house.queue())
		if err != nil && len(ids) > 0 {
			return fmt.Errorf("%s: %w: `cairn queue list` shows what waits", strings.Join(ids, " "), err)
		}
		return err
	})
}

type queueRetry struct {
	ID []string `arg:"" optional:"" help:"Which; default: all that are not held."`
}

func (c *queueRetry) Run(ctx context.Context, h home) error {
	return order(ctx, h, c.ID, func(q *queue.Queue) error { return q.Retry(ctx, operator(), c.ID...) })
}

type queueDrop struct {
	ID []string `arg:""`
}

func (c *queueDrop) Run(ctx context.Context, h home) error {
	return order(ctx, h, c.ID, func(q *queue.Queue) error { return q.Drop(ctx, operator(), c.ID...) })
}

type queueHold struct {
	ID []string `arg:""`
}

func (c *queueHold) Run(ctx context.Context, h home) error {
	return order(ctx, h, c.ID, func(q *queue.Queue) error { return q.Hold(ctx, operator(), c.ID...) })
}

type queueRelease struct {
	ID []string `arg:""`
}

func (c *queueRelease) Run(ctx context.Context, h home) error {
	return order(ctx, h, c.ID, func(q *queue.Queue) error { return q.Release(ctx, operator(), c.ID...) })
}
