package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"text/tabwriter"

	"cairn/services/caldav/shelf"
)

type calendarCommands struct {
	List   calendarList   `cmd:"" help:"Calendars, what is in them, and who else may use them."`
	Import calendarImport `cmd:"" help:"Bring entries in from a file, a folder or another server. Again, it brings in what is new there."`
	Export calendarExport `cmd:"" help:"Write a calendar as one file."`
}

type contactsCommands struct {
	List   contactsList   `cmd:"" help:"Address books, what is in them, and who else may use them."`
	Import contactsImport `cmd:"" help:"Bring contacts in from a file, a folder or another server. Again, it brings in what is new there."`
	Export contactsExport `cmd:"" help:"Write an address book as one file."`
}

type (
	calendarList   struct{ davList }
	contactsList   struct{ davList }
	calendarImport struct {
		Calendar string `arg:"" help:"Into which, such as alice/home. It is made where there is none."`
		davImport
	}
	contactsImport struct {
		Book string `arg:"" help:"Into which, such as alice/friends. It is made where there is none."`
		davImport
	}
	calendarExport struct {
		Calendar string `arg:"" help:"Which, such as alice/home."`
		davExport
	}
	contactsExport struct {
		Book string `arg:"" help:"Which, such as alice/friends."`
		davExport
	}
)

func (c *calendarList) Run(ctx context.Context, h home, term terminal) error {
	return c.list(ctx, h, term, shelf.Calendars)
}

func (c *contactsList) Run(ctx context.Context, h home, term terminal) error {
	return c.list(ctx, h, term, shelf.Contacts)
}

func (c *calendarImport) Run(ctx context.Context, h home, term terminal) error {
	return c.bring(ctx, h, term, c.Calendar, shelf.Calendars)
}

func (c *contactsImport) Run(ctx context.Context, h home, term terminal) error {
	return c.bring(ctx, h, term, c.Book, shelf.Contacts)
}

func (c *calendarExport) Run(ctx context.Context, h home, term terminal) error {
	return c.write(ctx, h, term, c.Calendar, shelf.Calendars)
}

func (c *contactsExport) Run(ctx context.Context, h home, term terminal) error {
	return c.write(ctx, h, term, c.Book, shelf.Contacts)
}

type davList struct {
	User string `arg:"" optional:"" help:"Only this user's."`
}

// list prints a line for each collection of a kind.
func (c *davList) list(ctx context.Context, h home, term terminal, kind shelf.Kind) error {
	return withHouse(ctx, h, func(house *house) error {
		users, err := house.accounts.Users(ctx)
		if err != nil {
			return err
		}
		w := tabwriter.NewWriter(term.out, 0, 0, 2, ' ', 0)
		found := c.User == ""
		for _, u := range users {
			if c.User != "" && c.User != u.Name {
				continue
			}
			found = true
			if err := house.describeCollections(ctx, w, u.Name, kind); err != nil {
				return err
			}
		}
		if !found {
			return fmt.Errorf("there is no user %q: `cairn user list` shows who there is", c.User)
		}
		return w.Flush()
	})
}

func (h *house) describeCollections(ctx context.Context, w io.Writer, user string, kind shelf.Kind) error {
	snap, err := h.shelf.Snapshot(ctx, user)
	if err != nil {
		return err
	}
	all, err := snap.Collections(kind)
	if err != nil {
		return err
	}
	for _, c := range all {
		usage, err := c.Usage()
		if err != nil {
			return err
		}
		shared := ""
		for _, with := range c.Props().Users() {
			shared += fmt.Sprintf(" %s (%s)", with, c.Access(with))
		}
		if shared != "" {
			shared = "shared with" + shared
		}
		if c.Props().Public {
			shared += " public"
		}
		fmt.Fprintf(w, "%s/%s\t%d\t%s\t%s\n", user, c.Name, usage.Count, subject(c.Props().DisplayName), shared)
	}
	return nil
}

type davExport struct {
	File string `arg:"" optional:"" help:"Where to; - or nothing is standard output." placeholder:"FILE"`
}

// write writes a collection.
func (c *davExport) write(ctx context.Context, h home, term terminal, text string, kind shelf.Kind) error {
	place, err := parseCollection(text, kind)
	if err != nil {
		return err
	}
	return withHouse(ctx, h, func(house *house) error {
		if err := house.resolve(ctx, &place); err != nil {
			return err
		}
		snap, err := house.shelf.Snapshot(ctx, place.user)
		if err != nil {
			return err
		}
		coll, err := snap.Collection(kind, place.path.Collection)
		if errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("there is no %s: `cairn %s list` shows what there is", place, commandOf[kind])
		}
		if err != nil {
			return err
		}
		if c.File == "" || c.File == "-" {
			return export(term.out, coll)
		}
		f, err := os.Create(c.File)
		if err != nil {
			return err
		}
		return errors.Join(export(f, coll), f.Close())
	})
}

var commandOf = map[shelf.Kind]string{shelf.Calendars: "calendar", shelf.Contacts: "contacts"}
