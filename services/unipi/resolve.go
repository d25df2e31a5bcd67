package unipi

import (
	"errors"
	"io/fs"
	"path"
	"strings"

	"cairn/store"
	"cairn/store/object"
)

// maxLinks is how many symbolic links one path may lead through.
const maxLinks = 20

// A file is what a URL path names in a tree.
type file struct {
	name string // in the tree, links followed
	hash store.Hash
	size int64
}

// A finder looks names up in a tree. What cannot be read counts as absent, and
// err says so.
type finder struct {
	tree *store.Tree
	err  error
}

func (f *finder) lookup(name string) (object.Entry, bool) {
	e, err := f.tree.Lookup(name)
	f.note(err)
	return e, err == nil
}

func (f *finder) note(err error) {
	if err != nil && !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, fs.ErrInvalid) {
		f.err = err
	}
}

// walk finds the entry that a name in the tree leads to, links followed. A link
// that leaves the tree, loops, or leads to a hidden name leads nowhere.
func (f *finder) walk(name string) (string, object.Entry, bool) {
	if hidden(name) {
		return "", object.Entry{}, false
	}
	if e, ok := f.lookup(name); ok && e.Mode != object.ModeSymlink {
		return name, e, true
	}
	links := 0
	done := "" // what has been walked, free of links
	rest := name
	for {
		var part string
		part, rest, _ = strings.Cut(rest, "/")
		at := path.Join(done, part)
		e, ok := f.lookup(at)
		if !ok || hidden(at) {
			return "", object.Entry{}, false
		}
		switch {
		case e.Mode == object.ModeSymlink:
			if links++; links > maxLinks {
				return "", object.Entry{}, false
			}
			to, ok := f.linkTarget(done, at)
			if !ok {
				return "", object.Entry{}, false
			}
			done, rest = "", path.Join(to, rest)
			if rest == "." || len(rest) > maxPath {
				return "", object.Entry{}, false
			}
		case rest == "":
			return at, e, true
		default:
			done = at
		}
	}
}

// linkTarget returns where the link at a path, which lies in dir, points to,
// as a name in the tree.
func (f *finder) linkTarget(dir, at string) (string, bool) {
	if info, err := f.tree.Stat(at); err != nil || info.Size() > maxPath {
		f.note(err)
		return "", false
	}
	to, err := f.tree.ReadLink(at)
	if err != nil {
		f.note(err)
		return "", false
	}
	if to == "" || to[0] == '/' || strings.ContainsAny(to, "\x00\\") {
		return "", false
	}
	// Climb by hand: Join("a", "../../b") would stop at the root silently.
	depth := 0
	if dir != "" {
		depth = strings.Count(dir, "/") + 1
	}
	for part := range strings.SplitSeq(to, "/") {
		switch part {
		case "..":
			depth--
		case "", ".":
		default:
			depth++
		}
		if depth < 0 {
			return "", false
		}
	}
	return path.Join(dir, to), true
}

// regular returns the file that a name in the tree leads to.
func (f *finder) regular(name string) (file, bool) {
	at, e, ok := f.walk(name)
	if !ok || !e.Mode.IsRegular() && e.Mode != object.ModeExecutable {
		return file{}, false
	}
	info, err := f.tree.Stat(at)
	if err != nil {
		f.note(err)
		return file{}, false
	}
	return file{name: at, hash: e.Hash, size: info.Size()}, true
}

func (f *finder) folder(name string) bool {
	_, e, ok := f.walk(name)
	return ok && e.Mode == object.ModeDir
}

// find returns what a path of the site shows: a file, or a path to be sent to
// instead (a folder without its slash, a page with one).
//
//	/            index.html
//	/a/          a/index.html, or sends to /a when a.html exists
//	/a           the file a, a.html, or sends to /a/ when a/index.html exists
func (f *finder) find(p string) (shown file, sendTo string, ok bool) {
	name := p[1:]
	if p == "/" || strings.HasSuffix(name, "/") {
		if shown, ok = f.regular(name + "index.html"); ok || p == "/" {
			return shown, "", ok
		}
		name = strings.TrimSuffix(name, "/")
		if _, ok = f.regular(name + ".html"); ok {
			return file{}, "/" + name, true
		}
		return file{}, "", false
	}
	for _, n := range []string{name, name + ".html"} {
		if shown, ok = f.regular(n); ok {
			return shown, "", true
		}
	}
	if f.folder(name) {
		if _, ok = f.regular(name + "/index.html"); ok {
			return file{}, p + "/", true
		}
	}
	return file{}, "", false
}

// notFound returns the 404.html nearest above a path.
func (f *finder) notFound(p string) (file, bool) {
	dir := p
	for range 32 {
		dir = path.Dir(dir)
		if shown, ok := f.regular(strings.TrimPrefix(path.Join(dir, "404.html"), "/")); ok {
			return shown, true
		}
		if dir == "/" {
			break
		}
	}
	return file{}, false
}
