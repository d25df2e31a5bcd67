package libos

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
)

// Help prints the manifest for people: what it is, and every argument.
func (m Manifest) Help(w io.Writer) error {
	fmt.Fprintf(w, "Usage: %s [arguments]\n\n%s\n\n", m.Name, m.About)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, arg := range m.All() {
		name := "--" + arg.Name
		if arg.Kind != Bool {
			name += " " + arg.placeholder()
		}
		fmt.Fprintf(t, "  %s\t%s\n", name, m.describe(arg))
	}
	if err := t.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintln(w, "\nBesides: --help, --version, and --manifest, which prints all this as JSON.")
	return err
}

// describe is an argument's help with what holds by itself.
func (m Manifest) describe(arg Arg) string {
	text := arg.Help
	for _, p := range m.Ports {
		if p.Name == arg.Name {
			text += p.defaults()
		}
	}
	if arg.Default != "" {
		text += " Default: " + arg.Default + "."
	}
	if arg.Kind.repeats() {
		text += " May be repeated."
	}
	if arg.Required || m.needsDisk(arg.Name) {
		text += " Required."
	}
	if arg.Env != "" {
		text += " [$" + arg.Env + "]"
	}
	return text
}

// needsDisk reports whether there is a disk of that name that has to be there.
func (m Manifest) needsDisk(name string) bool {
	return slices.ContainsFunc(m.Disks, func(d Disk) bool { return d.Name == name && d.Required })
}

func (p Port) defaults() string {
	switch {
	case p.Host == "":
		return ""
	case p.Own == "" || p.Own == p.Host:
		return " Default: " + p.Host + "."
	default:
		return " Default: " + p.Host + " or a free port; with a network of its own " + p.Own + "."
	}
}

func (arg Arg) placeholder() string {
	switch {
	case arg.Value != "":
		return arg.Value
	case arg.Kind == Duration:
		return "TIME"
	case arg.Kind.namesFiles():
		return "FILE"
	default:
		return strings.ToUpper(arg.Name)
	}
}
