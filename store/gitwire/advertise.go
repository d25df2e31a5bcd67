package gitwire

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"github.com/go-git/go-git/v5/plumbing/protocol/packp/capability"

	"cairn/store"
	"cairn/store/object"
)

// uploadCapabilities is what upload-pack offers in protocol v0 and v1.
var uploadCapabilities = strings.Join([]string{
	capability.MultiACK.String(),
	capability.MultiACKDetailed.String(),
	capability.NoDone.String(),
	capability.ThinPack.String(),
	capability.Sideband.String(),
	capability.Sideband64k.String(),
	capability.OFSDelta.String(),
	capability.Shallow.String(),
	capability.DeepenSince.String(),
	capability.DeepenNot.String(),
	capability.DeepenRelative.String(),
	capability.NoProgress.String(),
	capability.IncludeTag.String(),
	capability.AllowTipSHA1InWant.String(),
	capability.AllowReachableSHA1InWant.String(),
	capability.Filter.String(),
	capability.ObjectFormat.String() + "=sha1",
	capability.Agent.String() + "=" + agent,
}, " ")

// uploadCapabilitiesV2 is what protocol v2 offers, a line each.
var uploadCapabilitiesV2 = []string{
	"agent=" + agent,
	"ls-refs=unborn",
	"fetch=shallow wait-for-done filter",
	"server-option",
	"object-format=sha1",
}

// advertiseRefs writes the advertisement of protocol v0 and v1: HEAD, the refs,
// after each annotated tag what it tags.
func advertiseRefs(ctx context.Context, v *View, g *graph, refs []store.Ref, proto int, w *pktWriter) error {
	if proto == 1 {
		w.line("version 1\n")
	}
	caps := uploadCapabilities
	head, ok := findRef(refs, v.Head)
	if ok {
		caps += " " + capability.SymRef.String() + "=HEAD:" + v.Head
		refs = slices.Insert(slices.Clone(refs), 0, store.Ref{Name: "HEAD", Hash: head.Hash})
	}
	ad := &advertisement{w: w, caps: caps}
	for _, ref := range refs {
		ad.ref(ref.Hash, ref.Name)
		peeled, err := peelRef(ctx, g, ref)
		if err != nil {
			return err
		}
		if !peeled.IsZero() {
			ad.ref(peeled, ref.Name+"^{}")
		}
	}
	ad.end()
	return w.send()
}

// An advertisement writes refs with the capabilities behind the first.
type advertisement struct {
	w    *pktWriter
	caps string
	some bool
}

func (a *advertisement) ref(h store.Hash, name string) {
	if a.some {
		a.w.linef("%s %s\n", h, name)
		return
	}
	a.some = true
	a.w.linef("%s %s\x00%s\n", h, name, a.caps)
}

func (a *advertisement) end() {
	if !a.some {
		a.ref(store.Hash{}, "capabilities^{}")
	}
	a.w.flush()
}

// advertiseV2 writes the capabilities of protocol v2. git passes over those that
// it does not know.
func advertiseV2(v *View, w *pktWriter) error {
	w.line("version 2\n")
	for _, c := range uploadCapabilitiesV2 {
		w.line(c + "\n")
	}
	if v.waits != nil {
		w.line(waitCommand + "\n")
	}
	w.flush()
	return w.send()
}

// shownRefs are the refs of the view that name something.
func shownRefs(ctx context.Context, v *View) ([]store.Ref, error) {
	refs, err := v.Refs(ctx)
	if err != nil {
		return nil, fmt.Errorf("list refs: %w", err)
	}
	return slices.DeleteFunc(slices.Clone(refs), func(r store.Ref) bool { return r.Hash.IsZero() }), nil
}

func findRef(refs []store.Ref, name string) (store.Ref, bool) {
	i, ok := slices.BinarySearchFunc(refs, name, func(r store.Ref, name string) int {
		return strings.Compare(r.Name, name)
	})
	if !ok {
		return store.Ref{}, false
	}
	return refs[i], true
}

// peelRef returns what an annotated tag tags in the end, Zero for other refs.
// A branch names a commit, so it costs no look.
func peelRef(ctx context.Context, g *graph, ref store.Ref) (store.Hash, error) {
	if ref.Name == "HEAD" || strings.HasPrefix(ref.Name, "refs/heads/") {
		return store.Hash{}, nil
	}
	tags, end, _, err := g.peel(ctx, ref.Hash)
	if errors.Is(err, fs.ErrNotExist) || len(tags) == 0 && err == nil {
		return store.Hash{}, nil
	}
	return end, err
}

// A tagRef is an annotated tag among the refs and what it tags in the end.
type tagRef struct {
	tags []store.Hash // the ref's own value first
	end  store.Hash
	t    object.Type
}

// tagRefs peels all annotated tags among the refs.
func tagRefs(ctx context.Context, g *graph, refs []store.Ref) ([]tagRef, error) {
	var all []tagRef
	for _, ref := range refs {
		if strings.HasPrefix(ref.Name, "refs/heads/") {
			continue
		}
		tags, end, t, err := g.peel(ctx, ref.Hash)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		if len(tags) > 0 {
			all = append(all, tagRef{tags, end, t})
		}
	}
	return all, nil
}
