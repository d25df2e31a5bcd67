package libos

import (
	"errors"
	"fmt"
	"strings"
)

// What Parse returns when something is to be told in place of anything done.
var (
	ErrHelp     = errors.New("help was asked for")         // --help
	ErrVersion  = errors.New("the version was asked for")  // --version
	ErrManifest = errors.New("the manifest was asked for") // --manifest
)

var questions = map[string]error{"help": ErrHelp, "h": ErrHelp, "version": ErrVersion, "manifest": ErrManifest}

// Parse reads arguments written --name VALUE or --name=VALUE, with one dash or
// two; where one of them says nothing, variable, which may be nil, is asked for what the
// environment says. What the manifest does not declare is an error that says
// what was meant, perhaps.
func (m Manifest) Parse(args []string, variable func(string) string) (Args, error) {
	a := Args{declared: map[string]Arg{}, given: map[string][]string{}}
	for _, arg := range m.All() {
		a.declared[arg.Name] = arg
	}
	for len(args) > 0 {
		n, err := a.take(args)
		if err != nil {
			return Args{}, err
		}
		args = args[n:]
	}
	if variable != nil {
		if err := a.fill(m.All(), variable); err != nil {
			return Args{}, err
		}
	}
	return a, a.complete(m.All())
}

// take reads the first argument and returns how many words it was.
func (a Args) take(args []string) (int, error) {
	word := args[0]
	name, value, joined := strings.Cut(strings.TrimPrefix(strings.TrimPrefix(word, "-"), "-"), "=")
	if ask := questions[name]; ask != nil {
		return 0, ask
	}
	if !strings.HasPrefix(word, "-") || name == "" {
		return 0, fmt.Errorf("%q is not an argument: they begin with --", word)
	}
	arg, ok := a.declared[name]
	if !ok {
		return 0, a.unknown(name)
	}
	n := 1
	switch {
	case joined:
	case arg.Kind == Bool:
		value = "true"
	case len(args) == 1:
		return 0, fmt.Errorf("--%s lacks its %s", name, arg.placeholder())
	default:
		value, n = args[1], 2
	}
	if err := arg.check(value); err != nil {
		return 0, err
	}
	a.given[name] = append(a.given[name], value)
	return n, nil
}

// fill takes what the environment says.
func (a Args) fill(all []Arg, variable func(string) string) error {
	for _, arg := range all {
		if arg.Env == "" || a.given[arg.Name] != nil {
			continue
		}
		value := variable(arg.Env)
		if value == "" {
			continue
		}
		if err := arg.check(value); err != nil {
			return fmt.Errorf("$%s: %w", arg.Env, err)
		}
		a.given[arg.Name] = []string{value}
	}
	return nil
}

// complete says what is missing.
func (a Args) complete(all []Arg) error {
	for _, arg := range all {
		if arg.Required && a.given[arg.Name] == nil {
			return fmt.Errorf("--%s %s is required", arg.Name, arg.placeholder())
		}
		if arg.Needs != "" && a.given[arg.Name] != nil && a.given[arg.Needs] == nil {
			return fmt.Errorf("--%s goes with --%s", arg.Name, arg.Needs)
		}
	}
	return nil
}

// unknown refuses a name, and names the nearest one there is.
func (a Args) unknown(name string) error {
	best, nearest := 3, ""
	for have := range a.declared {
		if d := distance(name, have); d < best || d == best && have < nearest {
			best, nearest = d, have
		}
	}
	if nearest == "" {
		return fmt.Errorf("there is no argument --%s", name)
	}
	return fmt.Errorf("there is no argument --%s: is --%s meant?", name, nearest)
}

// distance is how many letters must be changed, added or removed to make one
// word another (Levenshtein).
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := diagonal
			if a[i] != b[j] {
				change++
			}
			diagonal = row[j+1]
			row[j+1] = min(change, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
