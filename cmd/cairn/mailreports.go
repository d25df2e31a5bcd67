package main

import (
	"context"
	"errors"
	"fmt"

	"cairn/services/mail/reports"
)

type mailReports struct {
	Last int `short:"n" default:"20" help:"How many."`
}

func (c *mailReports) Run(ctx context.Context, h home, term terminal) error {
	return withHouse(ctx, h, func(house *house) error {
		var errs []error
		n := 0
		for r, err := range reports.List(ctx, house.repo.Branch(reports.Branch)) {
			if err != nil {
				errs = append(errs, err)
				continue
			}
			if n++; n > c.Last {
				break
			}
			from := r.From
			if from == "" {
				from = "somebody unproved"
			}
			fmt.Fprintf(term.out, "%s, from %s:\n%s\n", r.Received.Local().Format("2 January 2006 15:04"), from, r.Summary())
		}
		if n == 0 && len(errs) == 0 {
			fmt.Fprintln(term.err, "There is none yet. Others send them once a day, to the addresses in the DNS of the domain.")
		}
		return errors.Join(errs...)
	})
}
