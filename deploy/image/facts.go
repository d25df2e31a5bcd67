package image

import (
	"bytes"
	"debug/buildinfo"
	"encoding/json"
	"fmt"
	"runtime/debug"
	"strings"
)

// Facts are what an image was built from, as the toolchain wrote it down.
type Facts struct {
	Program  string    `json:"program"`           // import path of its main package
	Command  []string  `json:"command,omitempty"` // of a program of several, the one that is the service
	Go       string    `json:"go"`                // version of the toolchain: "go1.26.3"
	Module   Module    `json:"module"`            // that the program belongs to
	Modules  []Module  `json:"modules,omitempty"` // that it is made from besides
	Settings []Setting `json:"settings"`          // of the build, vcs.revision among them
}

// A Module is one that an image is made from.
type Module struct {
	Path    string `json:"path"`
	Version string `json:"version"`
	Sum     string `json:"sum,omitempty"` // as in go.sum; none of one's own tree

	// Replaces is the module that stands in the source for this one (go.mod's replace).
	Replaces string `json:"replaces,omitempty"`
}

// A Setting is one of the build.
type Setting struct {
	Key   string `json:"key"`
	Value string `json:"value"`
}

// Setting returns the value of a setting, "" where there is none.
func (f Facts) Setting(key string) string {
	for _, s := range f.Settings {
		if s.Key == key {
			return s.Value
		}
	}
	return ""
}

// Revision is the commit that the image was built from, "" where that is not known.
func (f Facts) Revision() string { return f.Setting("vcs.revision") }

// Time is when that commit was made (RFC 3339), "" where that is not known.
func (f Facts) Time() string { return f.Setting("vcs.time") }

// Modified reports whether the source was not what the commit holds.
func (f Facts) Modified() bool { return f.Setting("vcs.modified") == "true" }

// tried is the version of Go with which the machine's kernel is tested. It leans on the runtime's insides,
// which libos/metal/kernel lists, and of which it notices most when it boots.
const tried = "go1.26"

// Tried reports whether images made by this version of Go have been tried as virtual machines.
func (f Facts) Tried() bool { return f.Go == tried || strings.HasPrefix(f.Go, tried+".") }

// readFacts reads what the toolchain wrote into a program.
func readFacts(program []byte) (Facts, error) {
	info, err := buildinfo.Read(bytes.NewReader(program))
	if err != nil {
		return Facts{}, fmt.Errorf("read the program's build information: %w", err)
	}
	f := Facts{Program: info.Path, Go: info.GoVersion, Module: module(&info.Main)}
	for _, dep := range info.Deps {
		f.Modules = append(f.Modules, module(dep))
	}
	for _, s := range info.Settings {
		f.Settings = append(f.Settings, Setting(s))
	}
	return f, nil
}

func module(m *debug.Module) Module {
	if m.Replace != nil {
		return Module{Path: m.Replace.Path, Version: m.Replace.Version, Sum: m.Replace.Sum, Replaces: m.Path}
	}
	return Module{Path: m.Path, Version: m.Version, Sum: m.Sum}
}

// encode is v as the JSON of a section: one line, the same for the same value.
func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(v)
	return b.Bytes(), err
}
