package libos

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Args are the arguments that a service was started with. To ask for one that
// its manifest does not declare, or as another kind, panics.
type Args struct {
	declared map[string]Arg
	given    map[string][]string
}

// Given reports whether anything was said, even if it is what holds anyway.
func (a Args) Given(name string) bool {
	a.arg(name)
	return a.given[name] != nil
}

// String returns the text of an argument, its default where nothing was said: of
// a File its name.
func (a Args) String(name string) string { return a.last(a.arg(name, String, File)) }

// Strings returns everything that was said of a Repeated argument or of Files.
func (a Args) Strings(name string) []string {
	a.arg(name, Repeated, Files)
	return a.values(name)
}

// values is what was said of an argument, its default where nothing was.
func (a Args) values(name string) []string {
	if list := a.given[name]; list != nil {
		return list
	}
	return strings.Fields(a.arg(name).Default)
}

// Bool returns whether an argument is set.
func (a Args) Bool(name string) bool {
	on, err := strconv.ParseBool(a.last(a.arg(name, Bool)))
	return err == nil && on
}

// Duration returns the value of an argument, 0 where there is neither one nor
// a default.
func (a Args) Duration(name string) time.Duration {
	d, err := time.ParseDuration(a.last(a.arg(name, Duration)))
	if err != nil {
		return 0
	}
	return d
}

func (a Args) last(arg Arg) string {
	if list := a.given[arg.Name]; len(list) > 0 {
		return list[len(list)-1]
	}
	return arg.Default
}

// Files returns the names of all files that were given, by the arguments of the kinds File
// and Files, sorted.
func (a Args) Files() []string {
	var names []string
	for name, arg := range a.declared {
		if !arg.Kind.namesFiles() {
			continue
		}
		for _, file := range a.values(name) {
			if file != "" {
				names = append(names, file)
			}
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// arg returns a declared argument of one of the kinds, or of any.
func (a Args) arg(name string, kinds ...Kind) Arg {
	arg, ok := a.declared[name]
	if !ok {
		panic(fmt.Sprintf("libos: the manifest declares no argument %q", name))
	}
	if len(kinds) > 0 && !slices.Contains(kinds, arg.Kind) {
		panic(fmt.Sprintf("libos: argument %q is of kind %v, not %v", name, arg.Kind, kinds))
	}
	return arg
}
