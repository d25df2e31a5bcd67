package gitwire

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"cairn/store"
	"cairn/store/object"
	"cairn/store/pack"
)

// push sends the commands and the objects and reads the report.
func (w *remoteWire) push(p PushRequest) error {
	if err := w.pushable(p); err != nil {
		return err
	}
	if err := w.compareAll(p.Commands); err != nil {
		return err
	}
	bands := w.can("side-band-64k")
	r, err := w.ask(func(to io.Writer) error { return w.writePush(to, p, bands) })
	if err != nil {
		return w.wrong(err)
	}
	b := &bandReader{r: r, progress: w.progress}
	if bands {
		r = newPktReader(b)
	}
	if err := readReport(r, p.Commands); err != nil {
		return w.wrong(err)
	}
	if bands {
		// The refs have moved, whatever else the remote has to say.
		_ = b.finish()
	}
	return nil
}

// pushable refuses what the remote does not support.
func (w *remoteWire) pushable(p PushRequest) error {
	if len(p.Commands) == 0 {
		return errors.New("nothing to push")
	}
	if !w.can("report-status") {
		return errors.New("the remote does not report what becomes of a push")
	}
	if len(p.Commands) > 1 && !w.can("atomic") && !p.Partial {
		return ErrNotAtomic
	}
	if len(p.Options) > 0 && !w.can("push-options") {
		return errors.New("the remote takes no push options")
	}
	seen := make(map[string]bool)
	for _, c := range p.Commands {
		switch {
		case !validRemoteRef(c.Name) || c.Name == "HEAD" || seen[c.Name]:
			return fmt.Errorf("invalid or repeated ref %q", c.Name)
		case c.New.IsZero() && !w.can("delete-refs"):
			return fmt.Errorf("the remote does not let refs be deleted: %s", c.Name)
		}
		seen[c.Name] = true
	}
	for _, o := range p.Options {
		if strings.ContainsAny(o, "\n\x00") || len(o) > pktPayloadMax {
			return errors.New("malformed push option")
		}
	}
	return nil
}

// compareAll rejects commands whose old value is not what the remote has just listed:
// some servers do not compare it.
func (w *remoteWire) compareAll(commands []Command) error {
	now := make(map[string]store.Hash, len(w.refs))
	for _, ref := range w.refs {
		now[ref.Name] = ref.Hash
	}
	var errs []error
	for _, c := range commands {
		if now[c.Name] != c.Old {
			errs = append(errs, &RejectedError{Ref: c.Name, Reason: staleText(c, now[c.Name]), Race: true})
		}
	}
	return errors.Join(errs...)
}

// writePush writes the commands, the options and the pack.
func (w *remoteWire) writePush(to io.Writer, p PushRequest, bands bool) error {
	caps := " report-status"
	if bands {
		caps += " side-band-64k"
	}
	if len(p.Commands) > 1 && w.can("atomic") {
		caps += " atomic"
	}
	if len(p.Options) > 0 {
		caps += " push-options"
	}
	if w.can("object-format") {
		caps += " object-format=sha1"
	}
	if w.can("agent") {
		caps += " agent=" + agent
	}
	lines := newPktWriter(to)
	creates := false
	for i, c := range p.Commands {
		creates = creates || !c.New.IsZero()
		if i == 0 {
			lines.linef("%s %s %s\x00%s", c.Old, c.New, c.Name, caps)
		} else {
			lines.linef("%s %s %s", c.Old, c.New, c.Name)
		}
	}
	lines.flush()
	if len(p.Options) > 0 {
		for _, o := range p.Options {
			lines.line(o)
		}
		lines.flush()
	}
	if err := lines.send(); err != nil || !creates {
		return err
	}
	return writePack(to, p.Objects)
}

// writePack writes a pack of objects, each once.
func writePack(to io.Writer, objs []object.Object) error {
	seen := make(map[store.Hash]bool, len(objs))
	once := make([]object.Object, 0, len(objs))
	for _, o := range objs {
		if h := o.Hash(); !seen[h] {
			seen[h] = true
			once = append(once, o)
		}
	}
	w := pack.NewWriter(to, uint32(len(once)), pack.Fast)
	for _, o := range once {
		if _, err := w.Object(o); err != nil {
			return fmt.Errorf("write pack: %w", err)
		}
	}
	if _, _, err := w.Close(); err != nil {
		return fmt.Errorf("write pack: %w", err)
	}
	return nil
}

// readReport reads the report (gitprotocol-pack, "Report Status"). A ref of
// which it says nothing has been rejected.
func readReport(r *pktReader, commands []Command) error {
	kind, line, err := remoteLine(r)
	if err != nil {
		return fmt.Errorf("read report: %w", err)
	}
	unpacked, ok := strings.CutPrefix(line, "unpack ")
	if kind != pktData || !ok {
		return errors.New("malformed report")
	}
	outcomes := make(map[string]string, len(commands)) // empty: moved
	for _, c := range commands {
		outcomes[c.Name] = "the remote does not say what became of it"
	}
	// Protocol version 2 of the report has more lines than one for each ref.
	for range 8*len(commands) + 64 {
		kind, line, err = remoteLine(r)
		if err != nil {
			return fmt.Errorf("read report: %w", err)
		}
		if kind != pktData {
			break
		}
		status(outcomes, line)
	}
	var errs []error
	if unpacked != "ok" {
		errs = append(errs, &RemoteError{"unpack: " + oneLine(unpacked)})
	}
	for _, c := range commands {
		if reason := outcomes[c.Name]; reason != "" {
			errs = append(errs, &RejectedError{Ref: c.Name, Reason: reason})
		}
	}
	return errors.Join(errs...)
}

// status takes one line of the report. Refs that were not pushed are passed over.
func status(outcomes map[string]string, line string) {
	verdict, rest, _ := strings.Cut(line, " ")
	name, reason, _ := strings.Cut(rest, " ")
	if _, known := outcomes[name]; !known {
		return
	}
	switch verdict {
	case "ok":
		outcomes[name] = ""
	case "ng":
		outcomes[name] = oneLine(reason)
		if outcomes[name] == "" {
			outcomes[name] = "no reason given"
		}
	}
}
