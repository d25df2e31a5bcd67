package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"text/tabwriter"

	"golang.org/x/sys/unix"

	"cairn/cmd/setup/dav"
)

type historyCommand struct {
	Place string `arg:"" help:"Whose, and what: alice, alice/calendars/home, alice/calendars/home/lunch.ics."`
	Most  int    `help:"How many to show; 0 shows all." default:"100"`
}

// Run tells who changed what when, the newest first.
func (c *historyCommand) Run(ctx context.Context, h home, term terminal) error {
	place, err := parseDavPlace(c.Place)
	if err != nil {
		return err
	}
	return withHouse(ctx, h, func(house *house) error {
		if err := house.resolve(ctx, &place); err != nil {
			return err
		}
		var text bytes.Buffer
		w := tabwriter.NewWriter(&text, 0, 0, 2, ' ', 0)
		n, more := 0, false
		err := dav.History(ctx, house.shelf, place.user, place.path, func(t dav.Told) bool {
			if n++; c.Most > 0 && n > c.Most {
				more = true
				return false
			}
			fmt.Fprintf(w, "%.10s\t%s\t%s\t%s\n", t.Hash, t.Committer.When.Local().Format("2006-01-02 15:04"), subject(t.Author.Name), t.Words)
			return true
		})
		if err != nil {
			return err
		}
		if n == 0 {
			return fmt.Errorf("nothing was ever changed in %s", place)
		}
		if err := w.Flush(); err != nil {
			return err
		}
		if more {
			fmt.Fprintf(&text, "… and what was before: --most %d shows more\n", 10*c.Most)
		}
		return paged(ctx, text.Bytes(), term)
	})
}

// paged shows a text through the person's pager where there is a terminal, as git
// does: $PAGER, else less.
func paged(ctx context.Context, text []byte, term terminal) error {
	pager := os.Getenv("PAGER")
	if pager == "" {
		pager = "less"
	}
	if path, err := exec.LookPath(pager); err == nil && isTerminal(term.out) {
		cmd := exec.CommandContext(ctx, path)
		cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(text), term.out, term.err
		cmd.Env = append(os.Environ(), "LESS=FRX")
		return cmd.Run()
	}
	_, err := term.out.Write(text)
	return err
}

// isTerminal reports whether somebody reads what is written to w as it comes.
func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	_, err := unix.IoctlGetTermios(int(f.Fd()), getTermios)
	return err == nil
}
