package gitwire

import (
	"context"
	"strings"

	"cairn/store"
)

// maxPrefixes is how many ref-prefix lines are heeded; with more, all refs are
// shown, as the protocol permits.
const maxPrefixes = 1 << 12

// lsRefs lists the refs (gitprotocol-v2, "ls-refs").
func (u *upload) lsRefs(ctx context.Context, args bool) error {
	var peel, symrefs, unborn bool
	var prefixes []string
	err := u.arguments(args, func(line string) error {
		prefix, isPrefix := strings.CutPrefix(line, "ref-prefix ")
		switch {
		case line == "peel":
			peel = true
		case line == "symrefs":
			symrefs = true
		case line == "unborn":
			unborn = true
		case isPrefix && len(prefixes) <= maxPrefixes:
			prefixes = append(prefixes, prefix)
		case !isPrefix:
			return badRequest("ls-refs: unexpected line: %.256q", line)
		}
		return nil
	})
	if err != nil {
		return err
	}
	if len(prefixes) > maxPrefixes {
		prefixes = nil
	}
	if u.v.Head != "" && listed("HEAD", prefixes) {
		target := ""
		if symrefs {
			target = " symref-target:" + u.v.Head
		}
		if head, ok := findRef(u.refs, u.v.Head); ok {
			u.w.linef("%s HEAD%s\n", head.Hash, target)
		} else if unborn {
			u.w.linef("unborn HEAD%s\n", target)
		}
	}
	for _, ref := range u.refs {
		if !listed(ref.Name, prefixes) {
			continue
		}
		var peeled store.Hash
		if peel {
			if peeled, err = peelRef(ctx, u.g, ref); err != nil {
				return err
			}
		}
		if peeled.IsZero() {
			u.w.linef("%s %s\n", ref.Hash, ref.Name)
		} else {
			u.w.linef("%s %s peeled:%s\n", ref.Hash, ref.Name, peeled)
		}
	}
	u.w.flush()
	return u.w.send()
}

// listed reports whether a name begins with one of the prefixes, or whether
// there are none.
func listed(name string, prefixes []string) bool {
	for _, p := range prefixes {
		if strings.HasPrefix(name, p) {
			return true
		}
	}
	return len(prefixes) == 0
}
