package image

import (
	"bytes"
	"context"
	"fmt"
	"strings"
)

// A Difference is the first between an image and what its source makes.
type Difference struct {
	What    string // the part that differs, in words
	Image   string // what the image has there
	Rebuilt string // and what was built
	Advice  string // what to do about it; may be empty
}

func (d *Difference) String() string {
	text := fmt.Sprintf("%s: the image has %s, the source makes %s", d.What, d.Image, d.Rebuilt)
	if d.Advice != "" {
		text += "\n" + d.Advice
	}
	return text
}

// Verify builds an image again from source, a folder in its source tree, and compares
// every byte. It returns the first difference, nil where there is none.
func Verify(ctx context.Context, file []byte, source string) (*Difference, error) {
	have, err := Inspect(bytes.NewReader(file), int64(len(file)))
	if err != nil {
		return nil, err
	}
	if d, err := compareSource(ctx, have.Facts, source); d != nil || err != nil {
		return d, err
	}
	made, err := Build(ctx, Options{Program: have.Facts.Program, Command: have.Facts.Command, Source: source})
	if err != nil {
		return nil, fmt.Errorf("build it again: %w", err)
	}
	d, err := compare(file, made.Image, have.Facts, made.Facts)
	if d != nil && have.Facts.Modified() {
		d.Advice = "The image was made from a source with changes that were not committed: only who made it can have them."
	}
	return d, err
}

// compareSource finds what can be told without building: another toolchain, another revision.
func compareSource(ctx context.Context, f Facts, source string) (*Difference, error) {
	t, err := newToolchain(ctx, source)
	if err != nil {
		return nil, err
	}
	version, err := t.run(ctx, "env", "GOVERSION")
	if err != nil {
		return nil, err
	}
	if here := strings.TrimSpace(string(version)); here != f.Go {
		return &Difference{"Go version", printable(f.Go), here, fmt.Sprintf("Verify with that one: GOTOOLCHAIN=%s cairn image verify …", printable(f.Go))}, nil
	}
	if f.Revision() == "" {
		return nil, nil
	}
	head, err := t.command(ctx, "git", "rev-parse", "--verify", "HEAD")
	if err != nil {
		return nil, fmt.Errorf("the image was built from revision %s, and the source here has none: %w", printable(f.Revision()), err)
	}
	if here := strings.TrimSpace(string(head)); here != f.Revision() {
		return &Difference{"revision of the source", printable(f.Revision()), here,
			fmt.Sprintf("Verify in a checkout of that one, with the cairn that is in it: git worktree add ../then %s; cd ../then; go run ./cmd/cairn image verify …", printable(f.Revision()))}, nil
	}
	return nil, nil
}

// compare finds the first difference of two images.
func compare(file, made []byte, have, want Facts) (*Difference, error) {
	if bytes.Equal(file, made) {
		return nil, nil
	}
	if d := compareFacts(have, want); d != nil {
		return d, nil
	}
	a, err := readObject(bytes.NewReader(file), int64(len(file)))
	if err != nil {
		return nil, err
	}
	b, err := readObject(bytes.NewReader(made), int64(len(made)))
	if err != nil {
		return nil, err
	}
	if d, err := compareManifests(a, b); d != nil || err != nil {
		return d, err
	}
	if d, err := compareSections(a, b); d != nil || err != nil {
		return d, err
	}
	at := firstDifference(file, made)
	return &Difference{What: fmt.Sprintf("byte %d, in no section", at), Image: byteAt(file, at), Rebuilt: byteAt(made, at)}, nil
}

// compareFacts finds another program, module or setting.
func compareFacts(a, b Facts) *Difference {
	pairs := []Difference{{What: "program", Image: a.Program, Rebuilt: b.Program}, {What: "command", Image: strings.Join(a.Command, " "), Rebuilt: strings.Join(b.Command, " ")}, {What: "Go version", Image: a.Go, Rebuilt: b.Go}}
	changed := ""
	if a.Modified() != b.Modified() {
		changed = "vcs.modified tells whether a tree had changes that are not committed. Only what is committed can be rebuilt by others."
	}
	for key := range both(a.Settings, b.Settings, func(s Setting) string { return s.Key }) {
		pairs = append(pairs, Difference{What: "setting " + key, Image: a.Setting(key), Rebuilt: b.Setting(key), Advice: changed})
	}
	pairs = append(pairs, Difference{What: "module " + a.Module.Path, Image: a.Module.String(), Rebuilt: b.Module.String()})
	for path := range both(a.Modules, b.Modules, func(m Module) string { return m.Path }) {
		pairs = append(pairs, Difference{What: "module " + path, Image: find(a.Modules, path), Rebuilt: find(b.Modules, path)})
	}
	for _, p := range pairs {
		if p.Image != p.Rebuilt {
			p.What, p.Image, p.Rebuilt = printable(p.What), quoteOrNone(p.Image), quoteOrNone(p.Rebuilt)
			return &p
		}
	}
	return nil
}

// both yields the keys of two lists in their order, each once.
func both[T any](a, b []T, key func(T) string) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		seen := map[string]bool{}
		for _, list := range [][]T{a, b} {
			for _, item := range list {
				if k := key(item); !seen[k] {
					seen[k] = true
					if !yield(k) {
						return
					}
				}
			}
		}
	}
}

// String is the module with its version, and its sum where it has one.
func (m Module) String() string {
	return strings.TrimSpace(m.Path + " " + m.Version + " " + m.Sum)
}

func find(list []Module, path string) string {
	for _, m := range list {
		if m.Path == path {
			return m.String()
		}
	}
	return ""
}

func quoteOrNone(s string) string {
	if s == "" {
		return "none"
	}
	return printable(s)
}
