package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"text/tabwriter"

	"cairn/deploy/image"
)

type imageLines struct {
	File   string `arg:"" type:"existingfile" help:"The image."`
	Source string `help:"A folder of the source tree, at the image's revision; by itself the working directory." placeholder:"DIR" type:"existingdir"`
	JSON   bool   `help:"Every package, as JSON."`
}

func (c *imageLines) Run(ctx context.Context, term terminal) error {
	data, err := os.ReadFile(c.File)
	if err != nil {
		return err
	}
	list, err := image.Sources(ctx, data, c.Source)
	if err != nil {
		return fmt.Errorf("%s: %w", c.File, err)
	}
	if c.JSON {
		e := json.NewEncoder(term.out)
		e.SetIndent("", "  ")
		return e.Encode(list)
	}
	modules, all := byModule(list)
	t := tabwriter.NewWriter(term.out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(t, "linked\tcompiled\t  lines of code\n%d\t%d\t  %d packages in all\n", all.Linked, all.Compiled, len(list))
	for _, m := range modules {
		fmt.Fprintf(t, "%d\t%d\t  %s\n", m.Linked, m.Compiled, m.Module)
	}
	return t.Flush()
}

// byModule adds up packages: each module's, those with most lines first, and all.
func byModule(list []image.Source) (modules []image.Source, all image.Source) {
	at := map[string]int{}
	for _, s := range list {
		name := cmp.Or(s.Module, "the standard library and the runtime")
		if _, ok := at[name]; !ok {
			at[name] = len(modules)
			modules = append(modules, image.Source{Module: name})
		}
		for _, sum := range []*image.Source{&modules[at[name]], &all} {
			sum.Linked += s.Linked
			sum.Compiled += s.Compiled
		}
	}
	slices.SortStableFunc(modules, func(a, b image.Source) int { return cmp.Compare(b.Linked, a.Linked) })
	return modules, all
}
