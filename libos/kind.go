package libos

import (
	"fmt"
	"slices"
	"strconv"
	"time"
)

// Kind is what an argument's value is.
type Kind int

const (
	String   Kind = iota // any text
	Bool                 // --name, --name=true, --name=false
	Duration             // as time.ParseDuration has it: 90s, 5m
	Repeated             // any text, any number of times
	File                 // the name of a file to read, which Env.ReadFile does
	Files                // such names, any number of times
)

// kinds are the names of kinds as manifests have them.
var kinds = []string{"string", "bool", "duration", "repeated", "file", "files"}

// String returns the name that manifests have for the kind.
func (k Kind) String() string {
	if k < 0 || int(k) >= len(kinds) {
		return "kind " + strconv.Itoa(int(k))
	}
	return kinds[k]
}

// MarshalText implements encoding.TextMarshaler.
func (k Kind) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (k *Kind) UnmarshalText(text []byte) error {
	i := slices.Index(kinds, string(text))
	if i < 0 {
		return fmt.Errorf("%.20q is no kind of argument", text)
	}
	*k = Kind(i)
	return nil
}

// repeats reports whether an argument of the kind may be given many times.
func (k Kind) repeats() bool { return k == Repeated || k == Files }

// namesFiles reports whether what is said of an argument of the kind are names of files.
func (k Kind) namesFiles() bool { return k == File || k == Files }

// check says what is wrong with a value.
func (arg Arg) check(value string) error {
	switch arg.Kind {
	case Bool:
		if _, err := strconv.ParseBool(value); err != nil {
			return fmt.Errorf("--%s is true or false, not %q", arg.Name, value)
		}
	case Duration:
		if d, err := time.ParseDuration(value); err != nil || d < 0 {
			return fmt.Errorf("--%s is a time such as 90s or 5m, not %q", arg.Name, value)
		}
	}
	return nil
}
