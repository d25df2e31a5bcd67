package gitwire

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
)

// Here, and nowhere else, remotes' words are read for what they mean. The
// protocol has no codes: hosts say the same in different words.

// raceWords are parts of what hosts say of a ref whose old value was not the one
// sent, or that somebody else was just moving: git, GitHub, GitLab, JGit and Gerrit,
// dulwich, and this package.
var raceWords = []string{
	"stale info", "fetch first", "failed to lock", "cannot lock ref", "failed to update ref",
	"incorrect old value", "reference already exists", "reference does not exist",
	"atomic transaction failed", "remote ref updated", "remote ref changed",
	"lock failure", "lock error", "lock_failure", "invalid old id", "failed to write",
}

// isRace reports whether a reason for not moving a ref is that another was first.
func isRace(reason string) bool {
	reason = strings.ToLower(reason)
	for _, words := range raceWords {
		if strings.Contains(reason, words) {
			return true
		}
	}
	return false
}

// remoteSays is the error that a remote's words stand for.
func remoteSays(text string) error {
	text = oneLine(text)
	if _, rest, ok := strings.Cut(text, "not our ref "); ok {
		hex, _, _ := strings.Cut(rest, " ")
		if h, ok := parseHash(hex); ok {
			return &MissingError{h}
		}
	}
	return &RemoteError{text}
}

// remoteRefuses is the error of a remote that ends a conversation with some
// words before it has begun: sshd and git daemon have no other way to say why.
func remoteRefuses(text string) error {
	said := remoteSays(text)
	low := strings.ToLower(text)
	switch {
	case strings.Contains(low, "does not appear to be a git repository"), strings.Contains(low, "not found"),
		strings.Contains(low, "repository not exported"), strings.Contains(low, "no such repository"):
		return fmt.Errorf("%w: %w", fs.ErrNotExist, said)
	case strings.Contains(low, "permission denied"), strings.Contains(low, "access denied"), strings.Contains(low, "you may not"),
		strings.Contains(low, "service not enabled"):
		return fmt.Errorf("%w: %w", fs.ErrPermission, said)
	}
	return said
}

// endsEarly reports whether an error is a stream's end where more should have come.
func endsEarly(err error) bool {
	return errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrClosedPipe)
}
