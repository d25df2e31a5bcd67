package gitwire

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"cairn/store"
	"cairn/store/object"
)

// listRefs returns the remote's refs, sorted. In protocol v2 they have to be
// asked for.
func (w *remoteWire) listRefs(prefixes []string) ([]store.Ref, error) {
	if w.version == 2 {
		if err := w.lsRefs(prefixes); err != nil {
			return nil, w.wrong(err)
		}
	}
	refs := slices.DeleteFunc(slices.Clone(w.refs), func(r store.Ref) bool { return !hasPrefix(r.Name, prefixes) })
	slices.SortFunc(refs, func(a, b store.Ref) int { return strings.Compare(a.Name, b.Name) })
	return refs, nil
}

func hasPrefix(name string, prefixes []string) bool {
	return len(prefixes) == 0 || slices.ContainsFunc(prefixes, func(p string) bool { return strings.HasPrefix(name, p) })
}

// lsRefs runs the command ls-refs (gitprotocol-v2, "ls-refs").
func (w *remoteWire) lsRefs(prefixes []string) error {
	if !w.can("ls-refs") {
		return errors.New("the remote cannot list its refs")
	}
	r, err := w.ask(func(to io.Writer) error {
		p := newPktWriter(to)
		w.command(p, "ls-refs")
		p.line("symrefs\n")
		for _, prefix := range prefixes {
			p.linef("ref-prefix %s\n", prefix)
		}
		p.flush()
		return p.send()
	})
	if err != nil {
		return err
	}
	w.refs = nil
	bytes := 0
	for {
		kind, line, err := remoteLine(r)
		if err != nil {
			return err
		}
		if kind == pktFlush {
			return nil
		}
		if bytes += len(line); bytes > maxRemoteBytes || len(w.refs) == maxRemoteRefs {
			return fmt.Errorf("more than %d refs or %d bytes of them", maxRemoteRefs, maxRemoteBytes)
		}
		if err := w.addRefV2(line); err != nil {
			return err
		}
	}
}

// addRefV2 takes "hash name" and attributes, of which the target of
// a symbolic ref matters.
func (w *remoteWire) addRefV2(line string) error {
	fields := strings.Fields(line)
	if len(fields) < 2 {
		return errors.New("malformed list of refs")
	}
	h, ok := parseHash(fields[0])
	if !ok {
		return errors.New("malformed list of refs")
	}
	ref := store.Ref{Name: fields[1], Hash: h}
	for _, attribute := range fields[2:] {
		if target, ok := strings.CutPrefix(attribute, "symref-target:"); ok {
			ref.Target = target
		}
	}
	return w.keepRef(ref)
}

// command begins a request of protocol v2, up to where its arguments stand.
func (w *remoteWire) command(p *pktWriter, name string) {
	p.linef("command=%s\n", name)
	if w.can("agent") {
		p.line("agent=" + agent + "\n")
	}
	if w.can("object-format") {
		p.line("object-format=sha1\n")
	}
	p.delim()
}

func validRemoteRef(name string) bool {
	return name == "HEAD" || strings.HasPrefix(name, "refs/") && len(name) <= maxRefName && object.ValidRefName(name)
}
