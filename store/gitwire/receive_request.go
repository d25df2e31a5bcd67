package gitwire

import (
	"errors"
	"io"
	"strings"

	"github.com/go-git/go-git/v5/plumbing/protocol/packp/capability"

	"cairn/store"
)

// Bounds of one push.
const (
	maxCommands     = 10_000   // refs
	maxCommandBytes = 16 << 20 // of commands and shallow lines
	maxPushOptions  = 256
	maxOptionBytes  = 64 << 10 // of all push options
	maxRefName      = 1_000    // bytes
)

// A receiveRequest is what a client sends before the pack (gitprotocol-pack,
// "Reference Update Request and Packfile Transfer").
type receiveRequest struct {
	commands []Command
	shallow  map[store.Hash]struct{} // commits that the client has without their parents
	options  []string

	status      int  // version of the report asked for, 0 for none
	bands       bool // side-band-64k
	atomic      bool
	withOptions bool
}

// readReceiveRequest reads up to where the pack begins. A request without
// commands is what git sends when there is nothing to push. The request is not
// nil when there is an error: it holds the capabilities, if they came.
func readReceiveRequest(r *pktReader) (*receiveRequest, error) {
	q := &receiveRequest{shallow: make(map[store.Hash]struct{})}
	bytes := 0
	for {
		kind, line, err := r.text()
		if errors.Is(err, io.EOF) && bytes == 0 {
			return q, errHungUp
		}
		if err != nil {
			return q, err
		}
		if kind == pktFlush {
			break
		}
		if kind != pktData {
			return q, badRequest("a delimiter where a command was expected")
		}
		if bytes += len(line) + 4; bytes > maxCommandBytes {
			return q, badRequest("more than %d bytes of commands", maxCommandBytes)
		}
		if err := q.line(line); err != nil {
			return q, err
		}
	}
	if len(q.commands) > 0 && q.withOptions {
		return q, q.readOptions(r)
	}
	return q, nil
}

// line takes one line: a shallow commit or a command. The first command has the
// capabilities behind a NUL.
func (q *receiveRequest) line(line string) error {
	if rest, ok := strings.CutPrefix(line, "shallow "); ok {
		h, ok := parseHash(rest)
		if !ok {
			return badRequest("a shallow line without a hash")
		}
		q.shallow[h] = struct{}{}
		return nil
	}
	line, caps, ok := strings.Cut(line, "\x00")
	if ok && len(q.commands) == 0 {
		if err := q.capabilities(caps); err != nil {
			return err
		}
	}
	if line == "push-cert" {
		return badRequest("signed pushes are not supported")
	}
	if len(q.commands) == maxCommands {
		return badRequest("more than %d refs in one push: push them in several goes", maxCommands)
	}
	c, err := parseCommand(line)
	if err != nil {
		return err
	}
	q.commands = append(q.commands, c)
	return nil
}

// parseCommand parses "old new name". Whether the name may be is decided later.
func parseCommand(line string) (Command, error) {
	const digits = 2 * len(store.Hash{})
	if len(line) < 2*digits+3 || line[digits] != ' ' || line[2*digits+1] != ' ' {
		return Command{}, badRequest("a command that is not two hashes and a ref")
	}
	c := Command{Name: line[2*digits+2:]}
	var oldOK, newOK bool
	c.Old, oldOK = parseHash(line[:digits])
	c.New, newOK = parseHash(line[digits+1 : 2*digits+1])
	if !oldOK || !newOK {
		return Command{}, badRequest("a command that is not two hashes and a ref")
	}
	return c, nil
}

func (q *receiveRequest) capabilities(list string) error {
	for field := range strings.FieldsSeq(list) {
		name, value, _ := strings.Cut(field, "=")
		switch capability.Capability(name) {
		case capability.ReportStatus:
			q.status = max(q.status, 1)
		case reportStatusV2:
			q.status = 2
		case capability.Sideband64k:
			q.bands = true
		case capability.Atomic:
			q.atomic = true
		case capability.PushOptions:
			q.withOptions = true
		case capability.ObjectFormat:
			if value != "sha1" {
				return badRequest("unsupported object format %q: this repository is sha1", cut(value, 32))
			}
		}
	}
	return nil
}

// readOptions reads the push options, up to a flush.
func (q *receiveRequest) readOptions(r *pktReader) error {
	bytes := 0
	for {
		kind, line, err := r.text()
		if err != nil {
			return err
		}
		if kind == pktFlush {
			return nil
		}
		if kind != pktData {
			return badRequest("a delimiter where a push option was expected")
		}
		bytes += len(line)
		if len(q.options) == maxPushOptions || bytes > maxOptionBytes {
			return badRequest("more than %d push options or %d bytes of them", maxPushOptions, maxOptionBytes)
		}
		q.options = append(q.options, line)
	}
}

// needsPack reports whether a pack follows: not when all commands delete.
func (q *receiveRequest) needsPack() bool {
	for _, c := range q.commands {
		if !c.New.IsZero() {
			return true
		}
	}
	return false
}

// cut shortens hostile text.
func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return s[:n] + "…"
}
