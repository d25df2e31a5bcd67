package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"strings"

	"cairn/services/caldav/shelf"
	"cairn/store"
)

type davImport struct {
	From         string `arg:"" help:"A file, a folder with files below it, or an address: https://…, of a file or of a calendar or address book at another server (http or https)."`
	User         string `help:"Whose it is at the other server." placeholder:"NAME"`
	PasswordFile string `help:"A file with that password; without it the password is asked for." placeholder:"FILE"`
}

// bring imports into a collection.
func (c *davImport) bring(ctx context.Context, h home, term terminal, text string, kind shelf.Kind) error {
	place, err := parseCollection(text, kind)
	if err != nil {
		return err
	}
	return withHouse(ctx, h, func(house *house) error {
		if err := house.resolve(ctx, &place); err != nil {
			return err
		}
		in := &intake{house: house, place: place, from: c.From, term: term}
		files := readFiles(c.From, kind)
		if isAddress(c.From) {
			if files, err = c.fetch(ctx, term, kind); err != nil {
				return fmt.Errorf("import %s: %w", plainAddress(c.From), err)
			}
			in.from = plainAddress(c.From)
		}
		if err := in.all(ctx, files); err != nil {
			return in.broken(err)
		}
		return in.tell()
	})
}

// batchEntries is how many entries become one commit at most.
const batchEntries = 1000

// An intake is an import under way.
type intake struct {
	house *house
	place davPlace
	from  string
	term  terminal

	batch               []*shelf.Object
	fresh, newer, known int
	refused             int
}

// all imports files.
func (in *intake) all(ctx context.Context, files iter.Seq2[found, error]) error {
	n := 0
	for f, err := range files {
		if err != nil {
			return err
		}
		n++
		for o, err := range in.house.objects(in.place.path.Kind, f.data) {
			if err != nil {
				in.refuse(f.name, err)
				continue
			}
			if in.batch = append(in.batch, o); len(in.batch) == batchEntries {
				if err := in.put(ctx); err != nil {
					return err
				}
			}
		}
	}
	if n == 0 {
		return fmt.Errorf("%s holds no files to import (%s)", in.from, strings.Join(suffixes[in.place.path.Kind], ", "))
	}
	return in.put(ctx)
}

// maxComplaints is how many refused entries are named.
const maxComplaints = 20

func (in *intake) refuse(name string, err error) {
	in.refused++
	if in.refused <= maxComplaints {
		fmt.Fprintf(in.term.err, "cairn: %s: %v\n", subject(name), err)
	}
}

// put makes one commit of the batch. Where nothing could be read, nothing is made.
func (in *intake) put(ctx context.Context) error {
	if len(in.batch) == 0 {
		return nil
	}
	ch := store.Change{Author: operator(), Message: fmt.Sprintf("Import %d into %s\n\nFrom %s.\n", len(in.batch), in.place, subject(in.from))}
	var fresh, newer, known int
	err := in.house.shelf.Update(ctx, ch, []string{in.place.user}, func(edits map[string]*shelf.Edit) error {
		fresh, newer, known = 0, 0, 0 // it may run again
		e := edits[in.place.user]
		where := in.place.path
		if _, err := e.Collection(where.Kind, where.Collection); errors.Is(err, fs.ErrNotExist) {
			if err := e.Make(where, &shelf.Props{}); err != nil {
				return err
			}
		} else if err != nil {
			return err
		}
		for _, o := range in.batch {
			n, err := place(e, where, o)
			if err != nil {
				return fmt.Errorf("entry %q: %w", o.UID, err)
			}
			switch n {
			case isFresh:
				fresh++
			case isNewer:
				newer++
			default:
				known++
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	in.fresh, in.newer, in.known, in.batch = in.fresh+fresh, in.newer+newer, in.known+known, nil
	if total := in.fresh + in.newer + in.known; total >= batchEntries && isTerminal(in.term.err) {
		fmt.Fprintf(in.term.err, "%d …\r", total)
	}
	return nil
}

// broken says of an import that broke off what it has brought in.
func (in *intake) broken(err error) error {
	if n := in.fresh + in.newer; n > 0 {
		return fmt.Errorf("%w; %d entries had come in before, and the same command goes on from there", err, n)
	}
	return err
}

// tell says what became of it.
func (in *intake) tell() error {
	total := in.fresh + in.newer + in.known
	fmt.Fprintf(in.term.out, "%s: %d new, %d brought up to date, %d there already\n", in.place, in.fresh, in.newer, in.known)
	switch {
	case in.refused > 0 && total == 0:
		return fmt.Errorf("nothing in %s can be imported", in.from)
	case in.refused > 0:
		fmt.Fprintf(in.term.err, "cairn: %d could not be imported; everything else was\n", in.refused)
	}
	return nil
}
