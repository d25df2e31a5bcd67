package image

import (
	"cmp"
	"maps"
	"path"
	"slices"
	"strings"
)

// tableSection is where Go keeps which instruction comes from which line.
const tableSection = ".gopclntab"

// A Package is one of which something is linked into a program.
type Package struct {
	Path      string `json:"path"` // "" for what the compiler made by itself
	Module    string `json:"module,omitempty"`
	Functions int    `json:"functions"`
	Bytes     int64  `json:"bytes"` // of instructions

	// Lines are the different lines of its files that became instructions of this
	// program, wherever they were inlined to. What the linker left out does not count, nor do
	// declarations, comments, and lines of which no instruction is left.
	Lines int `json:"lines"`
}

// packages lists what is linked into a program.
func packages(o *object) ([]Package, error) {
	data, err := o.data(tableSection, maxTable)
	if err != nil {
		return nil, err
	}
	t, err := parseTable(data)
	if err != nil {
		return nil, err
	}
	by := map[string]*Package{}
	in := func(file string) *Package {
		name, module := packageOf(file)
		if by[name] == nil {
			by[name] = &Package{Path: name, Module: module}
		}
		return by[name]
	}
	index, err := t.walk(func(f function) {
		p := in(f.file)
		p.Functions++
		p.Bytes += int64(f.size)
	})
	if err != nil {
		return nil, err
	}
	for line := range index.lines {
		in(index.names[line>>32]).Lines++
	}
	list := slices.SortedFunc(maps.Values(by), func(a, b *Package) int { return cmp.Compare(a.Path, b.Path) })
	out := make([]Package, len(list))
	for i, p := range list {
		out[i] = *p
	}
	return out, nil
}

// packageOf is the package that a file belongs to, as -trimpath names files:
// example.org/module@v1.2.3/folder/file.go, and without a version in the standard library and
// the program's own module.
func packageOf(file string) (name, module string) {
	if file == "" {
		return "", ""
	}
	dir := printable(path.Dir(file))
	before, after, ok := strings.Cut(dir, "@")
	if !ok {
		return dir, ""
	}
	version, folder, _ := strings.Cut(after, "/")
	return path.Join(before, folder), before + "@" + version
}
