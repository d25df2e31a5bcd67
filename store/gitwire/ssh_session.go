package gitwire

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"sync"
	"time"

	"golang.org/x/crypto/ssh"
)

// session serves one session (RFC 4254 §6): environment, then one command.
func (c *sshConn) session(ctx context.Context, ch ssh.Channel, requests <-chan *ssh.Request, wg *sync.WaitGroup) {
	defer ch.Close()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	late := time.AfterFunc(c.idle, c.close)
	defer late.Stop()

	proto := 0
	for r := range requests {
		ok := false
		switch r.Type {
		case "env":
			var v struct{ Name, Value string }
			if ssh.Unmarshal(r.Payload, &v) == nil && v.Name == "GIT_PROTOCOL" {
				ok, proto = true, protocolVersion(v.Value)
			}
		case "pty-req":
			ok = true // for the greeting's sake
		case "exec", "shell":
			late.Stop()
			r.Reply(true, nil)
			wg.Go(func() {
				ssh.DiscardRequests(requests)
				cancel() // the client has closed its side
			})
			c.run(ctx, ch, r, proto)
			return
		}
		if r.WantReply {
			r.Reply(ok, nil)
		}
	}
}

// run executes the command and tells its exit status.
func (c *sshConn) run(ctx context.Context, ch ssh.Channel, r *ssh.Request, proto int) {
	stream := &patient{ch, c.idle, c.close}
	status := 1
	var command struct{ Line string }
	switch {
	case r.Type == "shell":
		fmt.Fprintf(stream, "hello %s, no shell here: this server speaks git\r\n", c.user())
	case ssh.Unmarshal(r.Payload, &command) != nil:
		c.complain(ch, "malformed command")
	default:
		status = c.git(ctx, ch, stream, command.Line, proto)
	}
	ch.SendRequest("exit-status", false, ssh.Marshal(struct{ Status uint32 }{uint32(status)}))
}

// user is what the greeting calls the client.
func (c *sshConn) user() string {
	if p := c.conn.Permissions; p != nil && p.Extensions[ExtensionUser] != "" {
		return p.Extensions[ExtensionUser]
	}
	return oneLine(cut(c.conn.User(), 64))
}

// git runs one of the two commands of git and returns the exit status.
func (c *sshConn) git(ctx context.Context, ch ssh.Channel, stream io.ReadWriter, line string, proto int) int {
	command, ok := parseGitCommand(line)
	if !ok {
		c.complain(ch, "this server runs git-upload-pack and git-receive-pack only")
		return 1
	}
	log := c.server.log().With("from", c.conn.RemoteAddr(), "user", c.user(), "repo", command.repo, "write", command.write)
	err := guard(func() error {
		v, err := c.open(ctx, command)
		if err != nil {
			c.complain(ch, openText(command.repo, err))
			return fmt.Errorf("open repository: %w", err)
		}
		if command.write {
			return serveReceive(ctx, v, proto, stream, stream, false, false)
		}
		return serveUpload(ctx, v, proto, stream, stream, false, false)
	})
	if err != nil && !errors.Is(err, errHungUp) {
		log.Info("git over ssh", "err", err)
		return 1
	}
	return 0
}

func (c *sshConn) open(ctx context.Context, command gitCommand) (*View, error) {
	if !fs.ValidPath(command.repo) {
		return nil, fs.ErrNotExist
	}
	v, err := c.server.Open(ctx, c.conn.Permissions, command.repo, command.write)
	if err != nil {
		return nil, err
	}
	mine := *v // it may be shared
	mine.searches, mine.waits = &c.server.searches, &c.server.waits
	return &mine, nil
}

// complain tells the client's user, on standard error.
func (c *sshConn) complain(ch ssh.Channel, text string) {
	late := time.AfterFunc(c.idle, c.close)
	defer late.Stop()
	fmt.Fprintf(ch.Stderr(), "cairn: %s\n", text)
}

// openText is what the client is told when Open refuses.
func openText(repo string, err error) string {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Sprintf("repository '%s' not found", oneLine(repo))
	case errors.Is(err, fs.ErrPermission), errors.Is(err, ErrUnauthorized):
		return fmt.Sprintf("you may not do that with repository '%s'", oneLine(repo))
	}
	return clientText(err)
}

// A patient stream waits for its client, but not for ever: when one Read or
// Write takes longer than the limit, the connection is closed. The time
// between calls, in which the server works, does not count.
type patient struct {
	ch    ssh.Channel
	limit time.Duration
	close func()
}

func (p *patient) Read(b []byte) (int, error) {
	defer time.AfterFunc(p.limit, p.close).Stop()
	return p.ch.Read(b)
}

func (p *patient) Write(b []byte) (int, error) {
	defer time.AfterFunc(p.limit, p.close).Stop()
	return p.ch.Write(b)
}
