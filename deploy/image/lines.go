package image

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// A Source is a package that a program is compiled from.
type Source struct {
	Path   string `json:"path"`
	Module string `json:"module,omitempty"` // with its version; "" for the standard library
	Files  int    `json:"files"`

	// Lines are those of its files that hold code, in Go and in assembly: not blank, and not comments
	// only. All files count that are compiled for linux/amd64, whatever the linker leaves out of them.
	Lines int `json:"lines"`
}

// Sources counts the lines that a program is compiled from: its own, those of libraries
// and those of the standard library and the runtime.
func Sources(ctx context.Context, o Options) ([]Source, error) {
	t, err := newToolchain(ctx, o.Source)
	if err != nil {
		return nil, err
	}
	pkg, err := t.mainPackage(ctx, o.Program)
	if err != nil {
		return nil, err
	}
	out, err := t.run(ctx, "list", "-deps", "-json=Dir,ImportPath,Module,GoFiles,SFiles,HFiles", "--", pkg)
	if err != nil {
		return nil, err
	}
	var list []Source
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p listed
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			return list, nil
		} else if err != nil {
			return nil, fmt.Errorf("read what go list says: %w", err)
		}
		s, err := p.count()
		if err != nil {
			return nil, err
		}
		list = append(list, s)
	}
}

// listed is a package as go list describes it.
type listed struct {
	Dir, ImportPath         string
	GoFiles, SFiles, HFiles []string
	Module                  *struct{ Path, Version string }
}

func (p listed) count() (Source, error) {
	s := Source{Path: p.ImportPath}
	if p.Module != nil {
		s.Module = strings.TrimSuffix(p.Module.Path+"@"+p.Module.Version, "@")
	}
	for _, files := range [][]string{p.GoFiles, p.SFiles, p.HFiles} {
		for _, name := range files {
			n, err := codeLinesOf(filepath.Join(p.Dir, name))
			if err != nil {
				return s, err
			}
			s.Files++
			s.Lines += n
		}
	}
	return s, nil
}

func codeLinesOf(name string) (int, error) {
	f, err := os.Open(name)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	n, err := CodeLines(f)
	if err != nil {
		return 0, fmt.Errorf("%s: %w", name, err)
	}
	return n, nil
}

// CodeLines counts the lines of a file in Go, C or Go's assembly that hold anything but
// blanks and comments. A line of a string that spans lines is code.
func CodeLines(r io.Reader) (int, error) {
	var c codeCounter
	b := bufio.NewReader(r)
	for {
		x, err := b.ReadByte()
		if errors.Is(err, io.EOF) {
			c.end()
			return c.lines, nil
		}
		if err != nil {
			return 0, err
		}
		c.next(x)
	}
}

// A codeCounter reads a file a byte at a time.
type codeCounter struct {
	lines int
	code  bool // there is some in this line
	in    byte // 0, or what we are in: / a comment to the line's end, * one to its mark, or a quote
	last  byte // the byte before, 0 if it cannot begin or end anything
}

func (c *codeCounter) next(x byte) {
	last := c.last
	c.last = x
	switch {
	case x == '\n':
		c.end()
	case c.in == '/':
	case c.in == '*':
		if last == '*' && x == '/' {
			c.in, c.last = 0, 0
		}
	case c.in != 0: // in quotes
		c.code = true
		switch {
		case x == '\\' && last == '\\' && c.in != '`':
			c.last = 0
		case x == c.in && (last != '\\' || c.in == '`'):
			c.in, c.last = 0, 0
		}
	case last == '/' && (x == '/' || x == '*'):
		c.in, c.last = x, 0
	default:
		if last == '/' {
			c.code = true
		}
		if x == '"' || x == '\'' || x == '`' {
			c.in = x
		}
		if x > ' ' && x != '/' {
			c.code = true
		}
	}
}

// end ends a line.
func (c *codeCounter) end() {
	if c.in == 0 && c.last == '/' {
		c.code = true
	}
	if c.code {
		c.lines++
	}
	c.code = false
	if c.in == '/' || c.in == '"' || c.in == '\'' {
		c.in = 0
	}
	c.last = 0
}
