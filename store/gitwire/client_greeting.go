package gitwire

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"cairn/store"
	"cairn/store/object"
)

// Bounds of what a remote may send, packs aside.
const (
	maxRemoteRefs  = 1 << 18
	maxRemoteBytes = 64 << 20 // of one list of refs
	maxRemoteCaps  = 1 << 10
)

// A greeting is what a service says first: what it can do and, before protocol
// v2, the refs.
type greeting struct {
	version int
	caps    map[string]string // capabilities and their values
	refs    []store.Ref       // of upload-pack in protocol v0 and v1
}

// readGreeting reads the advertisement of refs (v0 and v1) or of capabilities (v2).
// The refs that receive-pack lists are passed over: nobody compares with them.
func readGreeting(r *pktReader, service string) (*greeting, error) {
	g := &greeting{caps: make(map[string]string)}
	kind, line, err := greetingLine(r)
	if err != nil {
		return nil, err
	}
	if kind == pktData && line == "# service="+service {
		if kind, _, err = greetingLine(r); err != nil {
			return nil, err
		}
		if kind != pktFlush {
			return nil, errors.New("malformed advertisement")
		}
		if kind, line, err = greetingLine(r); err != nil {
			return nil, err
		}
	}
	switch {
	case kind == pktData && line == "version 2":
		g.version = 2
		return g, g.readCapabilities(r)
	case kind == pktData && line == "version 1":
		g.version = 1
		if kind, line, err = greetingLine(r); err != nil {
			return nil, err
		}
	}
	return g, g.readRefs(r, kind, line, service == fetchService)
}

// greetingLine reads one line; the ERR line that a remote may send is an error.
func greetingLine(r *pktReader) (pktKind, string, error) {
	kind, line, err := r.text()
	if err != nil {
		return 0, "", noEOF(err)
	}
	if text, ok := strings.CutPrefix(line, "ERR "); ok {
		return 0, "", remoteRefuses(text)
	}
	return kind, line, nil
}

// remoteLine is greetingLine in the middle of a conversation.
func remoteLine(r *pktReader) (pktKind, string, error) {
	kind, line, err := r.text()
	if err != nil {
		return 0, "", noEOF(err)
	}
	if text, ok := strings.CutPrefix(line, "ERR "); ok {
		return 0, "", remoteSays(text)
	}
	return kind, line, nil
}

// noEOF makes an end that comes too early an error.
func noEOF(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

func (g *greeting) readCapabilities(r *pktReader) error {
	for range maxRemoteCaps {
		kind, line, err := greetingLine(r)
		if err != nil {
			return err
		}
		if kind == pktFlush {
			return g.checkFormat()
		}
		g.addCapability(line)
	}
	return errors.New("too many capabilities")
}

func (g *greeting) addCapability(field string) {
	name, value, _ := strings.Cut(field, "=")
	if _, dup := g.caps[name]; !dup {
		g.caps[name] = value
	}
}

// can reports whether the remote has a capability.
func (g *greeting) can(name string) bool {
	_, ok := g.caps[name]
	return ok
}

// canFetch reports whether the command fetch of protocol v2 has a feature, or
// upload-pack before v2 the capability of that name.
func (g *greeting) canFetch(feature string) bool {
	if g.version != 2 {
		return g.can(feature)
	}
	for f := range strings.FieldsSeq(g.caps["fetch"]) {
		if f == feature {
			return true
		}
	}
	return false
}

func (g *greeting) checkFormat() error {
	if format, ok := g.caps["object-format"]; ok && format != "sha1" {
		return fmt.Errorf("the remote's object format %q is not supported", cut(format, 32))
	}
	return nil
}

// readRefs reads the refs of protocol v0, from the line that has been read.
func (g *greeting) readRefs(r *pktReader, kind pktKind, line string, keep bool) error {
	bytes, refs := 0, 0
	for first := true; kind != pktFlush; first = false {
		if kind != pktData {
			return errors.New("malformed advertisement")
		}
		if bytes += len(line); bytes > maxRemoteBytes || refs == maxRemoteRefs {
			return fmt.Errorf("more than %d refs or %d bytes of them", maxRemoteRefs, maxRemoteBytes)
		}
		refs++
		ref, caps, ok := strings.Cut(line, "\x00")
		if ok && first {
			for field := range strings.FieldsSeq(cut(caps, 64<<10)) {
				g.addCapability(field)
			}
		}
		if err := g.addRef(ref, keep); err != nil {
			return err
		}
		var err error
		if kind, line, err = greetingLine(r); err != nil {
			return err
		}
	}
	if target, ok := strings.CutPrefix(g.caps["symref"], "HEAD:"); ok && len(g.refs) > 0 && g.refs[0].Name == "HEAD" {
		g.refs[0].Target = target
	}
	return g.checkFormat()
}

// addRef takes one line of the advertisement. Peeled tags, the stand-in for no refs,
// other repositories' objects and shallow commits are no refs.
func (g *greeting) addRef(line string, keep bool) error {
	if strings.HasPrefix(line, "shallow ") {
		return nil
	}
	hex, name, _ := strings.Cut(line, " ")
	h, ok := parseHash(hex)
	if !ok || name == "" {
		return errors.New("malformed advertisement")
	}
	if !keep || name == "capabilities^{}" || name == ".have" || strings.HasSuffix(name, "^{}") {
		return nil
	}
	ref := store.Ref{Name: name, Hash: h}
	if err := checkRemoteRef(ref); err != nil {
		return err
	}
	g.refs = append(g.refs, ref)
	return nil
}

// checkRemoteRef refuses names that cannot be: nobody need be wary of them later.
func checkRemoteRef(ref store.Ref) error {
	if !validRemoteRef(ref.Name) || ref.Target != "" && !validRemoteRef(ref.Target) {
		return fmt.Errorf("the remote lists an invalid ref name %q", cut(ref.Name, 100))
	}
	return nil
}

func validRemoteRef(name string) bool {
	return name == "HEAD" || strings.HasPrefix(name, "refs/") && len(name) <= maxRefName && object.ValidRefName(name)
}
