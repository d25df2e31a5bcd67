package image

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"os"
	"path"
	"path/filepath"
	"strings"
)

// A Source is a package that a program is compiled from. Lines are those that hold code, in Go
// and in assembly: not blank, and not comments only.
type Source struct {
	Path   string `json:"path"`
	Module string `json:"module,omitempty"` // with its version; "" for the standard library

	// Compiled counts every file that is compiled for linux/amd64.
	Compiled int `json:"compiled"`

	// Linked counts the functions that are in the program, whole, and what stands outside of
	// functions in the files that have one. The rest the linker has left out.
	Linked int `json:"linked"`
}

// Sources counts the lines that an image is made from: of its own program, of libraries, and of
// the standard library with the runtime. source is a folder of the source tree, at the image's
// revision.
func Sources(ctx context.Context, file []byte, source string) ([]Source, error) {
	i, err := Inspect(bytes.NewReader(file), int64(len(file)))
	if err != nil {
		return nil, err
	}
	lines, err := linesByFile(file)
	if err != nil {
		return nil, err
	}
	t, err := newToolchain(ctx, source)
	if err != nil {
		return nil, err
	}
	packages, err := t.list(ctx, i.Facts.Program)
	if err != nil {
		return nil, err
	}
	var list []Source
	for _, p := range packages {
		s, err := p.count(lines)
		if err != nil {
			return nil, err
		}
		list = append(list, s)
	}
	return list, nil
}

// linesByFile are the lines that instructions come from.
func linesByFile(file []byte) (map[string]map[int]bool, error) {
	o, err := readObject(bytes.NewReader(file), int64(len(file)))
	if err != nil {
		return nil, err
	}
	data, err := o.data(tableSection, maxTable)
	if err != nil {
		return nil, err
	}
	t, err := parseTable(data)
	if err != nil {
		return nil, err
	}
	index, err := t.walk(func(function) {})
	if err != nil {
		return nil, err
	}
	by := map[string]map[int]bool{}
	for line := range index.lines {
		name := index.names[line>>32]
		if by[name] == nil {
			by[name] = map[int]bool{}
		}
		by[name][int(uint32(line))] = true
	}
	return by, nil
}

// A listed package is one as go list describes it.
type listed struct {
	Dir, ImportPath         string
	GoFiles, SFiles, HFiles []string
	Module                  *struct {
		Path, Version string
		Main          bool
	}
}

// list returns a program's packages.
func (t *toolchain) list(ctx context.Context, program string) ([]listed, error) {
	out, err := t.run(ctx, "list", "-deps", "-json=Dir,ImportPath,Module,GoFiles,SFiles,HFiles", "--", program)
	if err != nil {
		return nil, err
	}
	var list []listed
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var p listed
		err := d.Decode(&p)
		if errors.Is(err, io.EOF) {
			return list, nil
		}
		if err != nil {
			return nil, fmt.Errorf("read what go list says: %w", err)
		}
		list = append(list, p)
	}
}

// trimmed is how -trimpath names the package's folder.
func (p listed) trimmed() string {
	if p.Module == nil || p.Module.Main {
		return p.ImportPath
	}
	return p.Module.Path + "@" + p.Module.Version + strings.TrimPrefix(p.ImportPath, p.Module.Path)
}

func (p listed) count(lines map[string]map[int]bool) (Source, error) {
	s := Source{Path: p.ImportPath}
	if p.Module != nil {
		s.Module = strings.TrimSuffix(p.Module.Path+"@"+p.Module.Version, "@")
	}
	for _, names := range [][]string{p.GoFiles, p.SFiles, p.HFiles} {
		for _, name := range names {
			data, err := os.ReadFile(filepath.Join(p.Dir, name))
			if err != nil {
				return s, err
			}
			code := codeLines(data)
			s.Compiled += countTrue(code)
			used := lines[path.Join(p.trimmed(), name)]
			if used == nil {
				continue
			}
			extents, err := functionsOf(name, data)
			if err != nil {
				return s, err
			}
			leaveOut(code, extents, used)
			s.Linked += countTrue(code)
		}
	}
	return s, nil
}

// An extent is the first and the last line of a function.
type extent struct{ first, last int }

// functionsOf finds where the functions of a file are.
func functionsOf(name string, data []byte) ([]extent, error) {
	if path.Ext(name) != ".go" {
		return assembly(data), nil
	}
	files := token.NewFileSet()
	f, err := parser.ParseFile(files, name, data, parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	var list []extent
	for _, d := range f.Decls {
		if fn, ok := d.(*ast.FuncDecl); ok {
			list = append(list, extent{files.PositionFor(fn.Pos(), false).Line, files.PositionFor(fn.End(), false).Line})
		}
	}
	return list, nil
}

// assembly finds functions in Go's assembly: each begins with TEXT and goes to the next.
func assembly(data []byte) []extent {
	var list []extent
	n := 0
	for line := range bytes.Lines(data) {
		n++
		if bytes.HasPrefix(bytes.TrimSpace(line), []byte("TEXT")) {
			list = append(list, extent{n, n})
		}
		if len(list) > 0 {
			list[len(list)-1].last = n
		}
	}
	return list
}

// leaveOut takes the functions out of which no line was used.
func leaveOut(code []bool, functions []extent, used map[int]bool) {
	for _, f := range functions {
		linked := false
		for line := f.first; line <= f.last; line++ {
			linked = linked || used[line]
		}
		for line := f.first; line <= f.last && line <= len(code) && !linked; line++ {
			code[line-1] = false
		}
	}
}

func countTrue(list []bool) (n int) {
	for _, x := range list {
		if x {
			n++
		}
	}
	return n
}
