package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"cairn/deploy/image"
	"cairn/libos"
)

type imageInspect struct {
	File     string `arg:"" type:"existingfile" help:"The image."`
	JSON     bool   `help:"As JSON."`
	SBOM     bool   `help:"Print the bill of material instead (CycloneDX, JSON)."`
	Packages bool   `help:"Every package; by itself the biggest and the sums."`
}

func (c *imageInspect) Run(term terminal) error {
	i, err := inspectFile(c.File)
	if err != nil {
		return err
	}
	switch {
	case c.SBOM:
		_, err = term.out.Write(image.PrintableJSON(i.Bill))
		return err
	case c.JSON:
		data, err := json.MarshalIndent(i, "", "  ")
		if err != nil {
			return err
		}
		_, err = term.out.Write(append(image.PrintableJSON(data), '\n'))
		return err
	}
	var b strings.Builder
	showManifest(&b, i.Manifest)
	showFacts(&b, i)
	showCalls(&b, i.Calls)
	showSizes(&b, i)
	showPackages(&b, i, c.Packages)
	_, err = io.WriteString(term.out, b.String())
	return err
}

// show is text of an image for the terminal.
func show(text string) string { return image.Printable(text) }

func showManifest(w io.Writer, m libos.Manifest) {
	fmt.Fprintf(w, "%s: %s\n", show(m.Name), show(m.About))
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	defer t.Flush()
	for _, p := range m.Ports {
		fmt.Fprintf(t, "listens\t--%s\t%s\t%s\n", show(p.Name), show(where(p)), show(p.Help))
	}
	for _, p := range m.Peers {
		whom := p.Address
		if p.Arg != "" {
			whom = "what --" + p.Arg + " names"
		}
		fmt.Fprintf(t, "dials\t\t%s\t%s\n", show(whom), show(p.Why))
	}
	if m.State != nil {
		fmt.Fprintf(t, "keeps\t--%s\ta folder\t%s\n", show(m.State.Name), show(m.State.Help))
	}
	for _, d := range m.Disks {
		what := "a disk"
		if d.ReadOnly {
			what = "a disk to read"
		}
		fmt.Fprintf(t, "uses\t--%s\t%s\t%s\n", show(d.Name), what, show(d.Help))
	}
	for _, a := range m.Args {
		fmt.Fprintf(t, "takes\t--%s\t%s\t%s\n", show(a.Name), show(a.Kind.String()), show(a.Help))
	}
}

// where is the address at which a port listens when nothing is said.
func where(p libos.Port) string {
	switch {
	case p.Host == "" && p.Own == "":
		return "only when told to"
	case p.Host == "":
		return p.Own + " on a network of its own"
	case p.Own == "" || p.Own == p.Host:
		return p.Host
	}
	return p.Host + ", or " + p.Own + " on a network of its own"
}

func showFacts(w io.Writer, i *image.Info) {
	f := i.Facts
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	defer t.Flush()
	fmt.Fprintf(t, "\nbuilt\t%s by %s\n", show(f.Program), show(f.Go))
	revision := "not known"
	if f.Revision() != "" {
		revision = fmt.Sprintf("%s of %s", show(f.Revision()), show(f.Time()))
	}
	if f.Modified() {
		revision += ", with changes that nobody else has"
	}
	fmt.Fprintf(t, "source\t%s\n", revision)
	fmt.Fprintf(t, "made from\t%d modules and the standard library (--sbom lists them)\n", len(f.Modules)+1)
	boots := "yes, by PVH"
	if !i.Bootable {
		boots = "no"
	}
	fmt.Fprintf(t, "boots\t%s\n", boots)
	fmt.Fprintf(t, "SHA-256\t%s\n", i.SHA256)
}

// showCalls lists the system calls of a sealed process.
func showCalls(w io.Writer, c image.Calls) {
	for _, part := range []struct {
		what  string
		calls []string
	}{
		{"sealed, it can make %d system calls:", c.Card},
		{"with a folder, %d more:", c.Folder},
		{"on the host's network in place of a card of its own, %d more:", c.Host},
	} {
		if len(part.calls) == 0 {
			continue
		}
		fmt.Fprintf(w, "\n"+part.what+"\n", len(names(part.calls)))
		for _, call := range part.calls {
			fmt.Fprintf(w, "  %s\n", show(call))
		}
	}
}

// names are the system calls of a list, each once.
func names(calls []string) []string {
	var list []string
	for _, call := range calls {
		name, _, _ := strings.Cut(call, "(")
		if !slices.Contains(list, name) {
			list = append(list, name)
		}
	}
	return list
}

func showSizes(w io.Writer, i *image.Info) {
	z := i.Sizes
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	defer t.Flush()
	fmt.Fprintln(w)
	for _, line := range []struct {
		bytes int64
		what  string
	}{
		{z.File, "bytes in all"},
		{z.Compressed, "compressed (gzip -9)"},
		{z.Text, "instructions"},
		{z.Constant, "read-only data"},
		{z.Table, "table of functions and lines, read-only"},
		{z.Data, "data"},
		{z.Aside, "never loaded: manifest, facts, bill of material"},
		{z.Zero, "not in the file: memory that begins as zero, and is none until it is used"},
	} {
		fmt.Fprintf(t, "%d\t  %s\n", line.bytes, line.what)
	}
}

// shownPackages is how many packages are shown where not all are.
const shownPackages = 20

func showPackages(w io.Writer, i *image.Info, all bool) {
	if i.Unlisted != "" {
		fmt.Fprintf(w, "\nThe packages cannot be listed: %s\n", show(i.Unlisted))
		return
	}
	list, sum := slices.Clone(i.Packages), image.Package{}
	for _, p := range list {
		sum.Functions += p.Functions
		sum.Lines += p.Lines
		sum.Bytes += p.Bytes
	}
	slices.SortStableFunc(list, func(a, b image.Package) int { return cmp.Compare(b.Bytes, a.Bytes) })
	fmt.Fprintf(w, "\n%d packages, of which what is used is linked in; lines are those that became instructions:\n", len(list))
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	defer t.Flush()
	fmt.Fprintf(t, "bytes\tlines\tfunctions\t  package\n%d\t%d\t%d\t  in all\n", sum.Bytes, sum.Lines, sum.Functions)
	for n, p := range list {
		if n == shownPackages && !all {
			fmt.Fprintf(t, "\t\t\t  … and %d more (--packages)\n", len(list)-n)
			return
		}
		name := p.Path
		if name == "" {
			name = "(made by the compiler)"
		}
		fmt.Fprintf(t, "%d\t%d\t%d\t  %s\n", p.Bytes, p.Lines, p.Functions, show(name))
	}
}
