package gitwire

import (
	"net/url"
	"strconv"
	"strings"

	"cairn/store/object"
)

// A filter leaves objects out of a pack (git rev-list --filter). What a client
// asks for by name is sent all the same.
type filter struct {
	blobLimit int64       // leave out blobs of at least so many bytes, when hasLimit
	hasLimit  bool        //
	treeDepth int         // leave out trees and blobs so deep below a root tree, when hasDepth
	hasDepth  bool        //
	only      object.Type // leave out objects of other types, 0 for none
	nothing   bool        // two different values of only were combined
}

// maxCombined is how deep and how wide combine: filters may be.
const maxCombined = 16

// parseFilter reads a filter specification: blob:none, blob:limit=<n>[kmg],
// tree:<depth>, object:type=<type>, combine:<filter>+<filter>….
func parseFilter(spec string) (filter, error) {
	return parseFilterIn(spec, maxCombined)
}

func parseFilterIn(spec string, budget int) (filter, error) {
	kind, arg, _ := strings.Cut(spec, ":")
	switch kind {
	case "blob":
		if arg == "none" {
			return filter{hasLimit: true}, nil
		}
		if size, ok := strings.CutPrefix(arg, "limit="); ok {
			if n, ok := parseSize(size); ok {
				return filter{hasLimit: true, blobLimit: n}, nil
			}
		}
	case "tree":
		if n, err := strconv.ParseUint(arg, 10, 31); err == nil {
			return filter{hasDepth: true, treeDepth: int(n)}, nil
		}
	case "object":
		name, _ := strings.CutPrefix(arg, "type=")
		switch name {
		case "blob":
			return filter{only: object.TypeBlob}, nil
		case "tree":
			return filter{only: object.TypeTree}, nil
		case "commit":
			return filter{only: object.TypeCommit}, nil
		case "tag":
			return filter{only: object.TypeTag}, nil
		}
	case "combine":
		return parseCombined(arg, budget)
	}
	return filter{}, badRequest("filter %.64q is not supported", spec)
}

func parseCombined(specs string, budget int) (all filter, err error) {
	parts := strings.SplitN(specs, "+", budget+1)
	if len(parts) > budget {
		return all, badRequest("filter combines too many filters")
	}
	for _, part := range parts {
		spec, err := url.PathUnescape(part)
		if err != nil {
			return all, badRequest("filter %.64q is not supported", part)
		}
		f, err := parseFilterIn(spec, budget-len(parts))
		if err != nil {
			return all, err
		}
		all = all.and(f)
	}
	return all, nil
}

// and leaves out what either filter leaves out.
func (f filter) and(g filter) filter {
	if g.hasLimit && (!f.hasLimit || g.blobLimit < f.blobLimit) {
		f.hasLimit, f.blobLimit = true, g.blobLimit
	}
	if g.hasDepth && (!f.hasDepth || g.treeDepth < f.treeDepth) {
		f.hasDepth, f.treeDepth = true, g.treeDepth
	}
	f.nothing = f.nothing || g.nothing || f.only != 0 && g.only != 0 && f.only != g.only
	if f.only == 0 {
		f.only = g.only
	}
	return f
}

// sends reports whether objects of a type may be sent at all.
func (f filter) sends(t object.Type) bool {
	return !f.nothing && (f.only == 0 || f.only == t) && !(t == object.TypeBlob && f.noBlobs())
}

// noBlobs reports whether no blob passes, so that none needs looking at.
func (f filter) noBlobs() bool { return f.hasLimit && f.blobLimit == 0 }

// reaches reports whether trees and blobs so deep may be sent; 0 is a root tree.
func (f filter) reaches(depth int) bool { return !f.hasDepth || depth < f.treeDepth }

// walksTrees reports whether there is anything to be found in trees.
func (f filter) walksTrees() bool {
	return f.reaches(0) && (f.sends(object.TypeTree) || f.sends(object.TypeBlob))
}

// parseSize reads a number of bytes with an optional unit, as git does.
func parseSize(s string) (int64, bool) {
	shift := 0
	if n := len(s); n > 0 {
		switch s[n-1] | 0x20 {
		case 'k':
			shift = 10
		case 'm':
			shift = 20
		case 'g':
			shift = 30
		}
		if shift > 0 {
			s = s[:n-1]
		}
	}
	n, err := strconv.ParseUint(s, 10, 63)
	if err != nil || n > 1<<(62-shift) {
		return 0, false
	}
	return int64(n) << shift, true
}
