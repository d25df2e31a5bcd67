package ringtest

import (
	"cmp"
	"strings"
)

// A Suite is the tests of one package.
type Suite struct {
	Package string
	Run     string // of the tests, as a pattern; empty: all
	Without []Gap
	Memory  int  // in MiB; 0: 256
	Long    bool // takes more than a few seconds
}

// A Gap is tests that are left out.
type Gap struct {
	Tests string // names, blanks apart
	Why   string
}

func (s Suite) memory() int { return cmp.Or(s.Memory, 256) }

// without is the pattern of all that is left out.
func (s Suite) without() string {
	var names []string
	for _, gap := range s.Without {
		names = append(names, strings.Fields(gap.Tests)...)
	}
	if names == nil {
		return ""
	}
	return "^(" + strings.Join(names, "|") + ")$"
}

// Suites are all that are known to run, the quick ones first.
var Suites = []Suite{
	{Package: "strings"},
	{Package: "sort"},
}
