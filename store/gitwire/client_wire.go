package gitwire

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"cairn/store"
)

// Bounds of what a remote may send, packs aside.
const (
	maxRemoteRefs  = 1 << 18
	maxRemoteBytes = 64 << 20 // of one list of refs
	maxRemoteCaps  = 1 << 10
)

// A carrier is a conversation with one service of a remote repository.
type carrier interface {
	// hello returns what the remote says first.
	hello() *pktReader
	// ask sends what write writes and returns the answer. It is called after
	// the answer to the last one has been read.
	ask(write func(io.Writer) error) (*pktReader, error)
	// wrong turns an error of reading into what the carrier knows to be its cause.
	wrong(err error) error
	close()
}

// A remoteWire is a carrier and what the remote has said at first.
type remoteWire struct {
	carrier
	progress io.Writer

	version int
	caps    map[string]string // capabilities and their values
	refs    []store.Ref       // of protocol v0 and v1
}

// open begins a conversation. proto is the protocol version to ask for.
func (c *Client) open(ctx context.Context, rawURL, service string, proto int) (*remoteWire, error) {
	u, err := parseRemote(rawURL)
	if err != nil {
		return nil, err
	}
	w := &remoteWire{progress: c.Progress, caps: make(map[string]string)}
	if w.progress == nil {
		w.progress = io.Discard
	}
	if u.Scheme == "ssh" {
		w.carrier, err = c.openSSH(ctx, u, service, proto)
	} else {
		w.carrier, err = c.openHTTP(ctx, u, service, proto)
	}
	if err != nil {
		return nil, err
	}
	if err := w.readHello(service); err != nil {
		err = w.wrong(err)
		w.close()
		return nil, err
	}
	return w, nil
}

// readHello reads the advertisement of refs (v0 and v1) or of capabilities (v2).
func (w *remoteWire) readHello(service string) error {
	r := w.hello()
	kind, line, err := remoteLine(r)
	if err != nil {
		return err
	}
	if kind == pktData && line == "# service="+service {
		if kind, _, err = remoteLine(r); err != nil {
			return err
		}
		if kind != pktFlush {
			return errors.New("malformed advertisement")
		}
		if kind, line, err = remoteLine(r); err != nil {
			return err
		}
	}
	switch {
	case kind == pktData && line == "version 2":
		w.version = 2
		return w.readCapabilities(r)
	case kind == pktData && line == "version 1":
		w.version = 1
		if kind, line, err = remoteLine(r); err != nil {
			return err
		}
	}
	return w.readRefs(r, kind, line)
}

// remoteLine reads one line; the ERR line that a remote may send is an error.
func remoteLine(r *pktReader) (pktKind, string, error) {
	kind, line, err := r.text()
	if err != nil {
		return 0, "", noEOF(err)
	}
	if text, ok := strings.CutPrefix(line, "ERR "); ok {
		return 0, "", &RemoteError{oneLine(text)}
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

func (w *remoteWire) readCapabilities(r *pktReader) error {
	for range maxRemoteCaps {
		kind, line, err := remoteLine(r)
		if err != nil {
			return err
		}
		if kind == pktFlush {
			return w.checkFormat()
		}
		w.addCapability(line)
	}
	return errors.New("too many capabilities")
}

func (w *remoteWire) addCapability(field string) {
	name, value, _ := strings.Cut(field, "=")
	if _, dup := w.caps[name]; !dup {
		w.caps[name] = value
	}
}

// can reports whether the remote has a capability.
func (w *remoteWire) can(name string) bool {
	_, ok := w.caps[name]
	return ok
}

func (w *remoteWire) checkFormat() error {
	if format, ok := w.caps["object-format"]; ok && format != "sha1" {
		return fmt.Errorf("the remote's object format %q is not supported", cut(format, 32))
	}
	return nil
}

// readRefs reads the refs of protocol v0, from the line that has been read.
func (w *remoteWire) readRefs(r *pktReader, kind pktKind, line string) error {
	bytes := 0
	for first := true; kind != pktFlush; first = false {
		if kind != pktData {
			return errors.New("malformed advertisement")
		}
		if bytes += len(line); bytes > maxRemoteBytes || len(w.refs) == maxRemoteRefs {
			return fmt.Errorf("more than %d refs or %d bytes of them", maxRemoteRefs, maxRemoteBytes)
		}
		ref, caps, ok := strings.Cut(line, "\x00")
		if ok && first {
			for field := range strings.FieldsSeq(cut(caps, 64<<10)) {
				w.addCapability(field)
			}
		}
		if err := w.addRef(ref); err != nil {
			return err
		}
		var err error
		if kind, line, err = remoteLine(r); err != nil {
			return err
		}
	}
	if target, ok := strings.CutPrefix(w.caps["symref"], "HEAD:"); ok && len(w.refs) > 0 && w.refs[0].Name == "HEAD" {
		w.refs[0].Target = target
	}
	return w.checkFormat()
}

// addRef takes one line of the advertisement. Peeled tags, the stand-in for no refs,
// other repositories' objects and shallow commits are no refs.
func (w *remoteWire) addRef(line string) error {
	if strings.HasPrefix(line, "shallow ") {
		return nil
	}
	hex, name, _ := strings.Cut(line, " ")
	h, ok := parseHash(hex)
	if !ok || name == "" {
		return errors.New("malformed advertisement")
	}
	if name == "capabilities^{}" || name == ".have" || strings.HasSuffix(name, "^{}") {
		return nil
	}
	return w.keepRef(store.Ref{Name: name, Hash: h})
}

// keepRef adds a ref, if its name may be one: nobody need be wary of it later.
func (w *remoteWire) keepRef(ref store.Ref) error {
	if !validRemoteRef(ref.Name) || ref.Target != "" && !validRemoteRef(ref.Target) {
		return fmt.Errorf("the remote lists an invalid ref name %q", cut(ref.Name, 100))
	}
	w.refs = append(w.refs, ref)
	return nil
}
