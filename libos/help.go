package libos

import (
	"fmt"
	"io"
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
	return t.Flush()
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
	if arg.Kind == Repeated {
		text += " May be repeated."
	}
	if arg.Required {
		text += " Required."
	}
	if arg.Env != "" {
		text += " [$" + arg.Env + "]"
	}
	return text
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
	default:
		return strings.ToUpper(arg.Name)
	}
}
