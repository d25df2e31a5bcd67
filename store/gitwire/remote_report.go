package gitwire

import (
	"errors"
	"fmt"
	"strings"
)

// A report is what a remote says of a push (gitprotocol-pack, "Report Status").
type report struct {
	unpacked string // "ok", or why the pack was not taken
	refs     map[string]*refReport
}

// A refReport is what is said of one ref.
type refReport struct {
	ok, ng bool
	reason string
}

// readReport reads a report up to its flush.
func readReport(r *pktReader, commands []Command) (*report, error) {
	kind, line, err := remoteLine(r)
	if err != nil {
		return nil, fmt.Errorf("read report: %w", err)
	}
	unpacked, ok := strings.CutPrefix(line, "unpack ")
	if kind != pktData || !ok {
		return nil, errors.New("malformed report")
	}
	rep := &report{unpacked: oneLine(unpacked), refs: make(map[string]*refReport, len(commands))}
	for _, c := range commands {
		rep.refs[c.Name] = new(refReport)
	}
	// Version 2 of the report has more lines than one for each ref.
	for range 8*len(commands) + 64 {
		kind, line, err = remoteLine(r)
		if err != nil {
			return nil, fmt.Errorf("read report: %w", err)
		}
		if kind != pktData {
			return rep, nil
		}
		rep.line(line)
	}
	return nil, errors.New("the report does not end")
}

// line takes one line. Refs that were not pushed are passed over.
func (r *report) line(line string) {
	verdict, rest, _ := strings.Cut(line, " ")
	name, reason, _ := strings.Cut(rest, " ")
	ref := r.refs[name]
	if ref == nil {
		return
	}
	switch verdict {
	case "ok":
		ref.ok = true
	case "ng":
		ref.ng, ref.reason = true, oneLine(reason)
		if ref.reason == "" {
			ref.reason = "no reason given"
		}
	}
}

// verdict returns nil when all refs have moved. A ref of which nothing is said, or
// that and its opposite, is in doubt.
func (r *report) verdict(commands []Command, atomic bool) error {
	var errs []error
	moved, refused := 0, 0
	for _, c := range commands {
		ref := r.refs[c.Name]
		switch {
		case ref.ok && !ref.ng && r.unpacked == "ok":
			moved++
		case ref.ng && !ref.ok:
			refused++
			errs = append(errs, &RejectedError{Ref: c.Name, Reason: ref.reason, Race: isRace(ref.reason)})
		default:
			errs = append(errs, inDoubt(fmt.Errorf("the remote does not say what became of %s", c.Name)))
		}
	}
	if r.unpacked != "ok" {
		errs = append(errs, &RemoteError{"unpack: " + r.unpacked})
	}
	if atomic && moved > 0 && refused > 0 {
		errs = append(errs, ErrNotAtomic)
	}
	return errors.Join(errs...)
}
