package mail

import (
	"context"
	"fmt"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"time"

	"cairn/bench/measure"
)

// ingest is mail from outside, until it is accepted and until it is in the mailbox.
func (b *bench) ingest(ctx context.Context) error {
	for _, w := range []struct {
		sessions, messages int
		goal               float64
	}{{10, 2000, 2}, {1, 300, 1}} {
		n := b.room.Share(w.messages)
		var accepted [2]float64
		err := b.turn(fmt.Sprintf("4 KB messages, %d sessions, delivered", w.sessions), measure.PerSecond, w.goal, func(s server) (float64, error) {
			before, err := count(ctx, s)
			if err != nil {
				return 0, err
			}
			began := time.Now()
			if err := send(ctx, s, w.sessions, n); err != nil {
				return 0, err
			}
			took := time.Since(began)
			for {
				have, err := count(ctx, s)
				if err != nil {
					return 0, err
				}
				if have >= before+n {
					break
				}
				if time.Since(began) > 10*time.Minute {
					return 0, fmt.Errorf("of %d messages %d are there", n, have-before)
				}
				time.Sleep(200 * time.Millisecond) // to count disturbs, in a Maildir above all
			}
			at := 0
			if s == b.peer {
				at = 1
			}
			accepted[at] = float64(n) / took.Seconds()
			return float64(n) / time.Since(began).Seconds(), nil
		})
		if err != nil {
			return err
		}
		b.room.Add(measure.Result{Work: fmt.Sprintf("the same, accepted (last round), %d sessions", w.sessions), Size: b.size, Unit: measure.PerSecond,
			Ours: accepted[:1], Peer: accepted[1:], Tool: "postfix"})
	}
	return nil
}

// send sends n messages of 4 KB by smtp-source, which comes with Postfix.
func send(ctx context.Context, s server, sessions, n int) error {
	out, err := exec.CommandContext(ctx, "smtp-source", "-s", strconv.Itoa(sessions), "-m", strconv.Itoa(n), "-l", "4096",
		"-f", "bob@example.net", "-t", s.address(), "-M", "client.example", s.smtp()).CombinedOutput()
	if err != nil {
		return fmt.Errorf("smtp-source: %w: %s", err, out)
	}
	return nil
}

// imap is what programs ask.
func (b *bench) imap(ctx context.Context) error {
	each := func(what string, goal float64, unit measure.Unit, f func(c *client) error) error {
		return b.turn(what, unit, goal, func(s server) (float64, error) {
			c, err := dial(ctx, s)
			if err != nil {
				return 0, err
			}
			defer c.close()
			if !strings.HasPrefix(what, "SELECT") {
				if _, err := c.ask("SELECT INBOX"); err != nil {
					return 0, err
				}
			}
			began := time.Now()
			err = f(c)
			return time.Since(began).Seconds(), err
		})
	}
	one := func(command, holds string) func(c *client) error {
		return func(c *client) error {
			n, err := c.ask(command, holds)
			if err == nil && holds != "" && n == 0 {
				err = fmt.Errorf("%s: the answer does not hold %q", command, holds)
			}
			return err
		}
	}
	bodies := func(c *client) error {
		for i := range 100 {
			if _, err := c.ask(fmt.Sprintf("FETCH %d BODY.PEEK[]", 1+i*(b.size/100))); err != nil {
				return err
			}
		}
		return nil
	}
	if err := each("SELECT", 1, measure.Seconds, one("SELECT INBOX", "EXISTS")); err != nil {
		return err
	}
	if err := each("FETCH of all flags", 1, measure.Seconds, one("FETCH 1:* FLAGS", "FETCH")); err != nil {
		return err
	}
	if err := each("FETCH of 100 bodies, one by one", 1, measure.Seconds, bodies); err != nil {
		return err
	}
	if err := each("FETCH of the envelopes of 1,000", 0, measure.Seconds, one("FETCH 1:1000 ENVELOPE", "ENVELOPE")); err != nil {
		return err
	}
	if err := each("SEARCH TEXT for a rare word", 1, measure.Seconds, one("SEARCH TEXT "+rare, "SEARCH")); err != nil {
		return err
	}
	for _, sessions := range []int{1, 10} {
		if err := b.turn(fmt.Sprintf("APPEND, %d sessions", sessions), measure.PerSecond, 1, func(s server) (float64, error) {
			return appends(ctx, s, sessions, b.room.Share(500))
		}); err != nil {
			return err
		}
	}
	return nil
}

// appends has n messages appended to a mailbox of its own.
func appends(ctx context.Context, s server, sessions, n int) (float64, error) {
	c, err := dial(ctx, s)
	if err != nil {
		return 0, err
	}
	c.ask("CREATE Appended") // it may be there already
	c.close()
	text := message(7)
	began := time.Now()
	errs := make(chan error, sessions)
	var work sync.WaitGroup
	for range sessions {
		work.Go(func() {
			c, err := dial(ctx, s)
			if err != nil {
				errs <- err
				return
			}
			defer c.close()
			for range n / sessions {
				if err := c.append("Appended", text); err != nil {
					errs <- err
					return
				}
			}
		})
	}
	work.Wait()
	took := time.Since(began).Seconds()
	select {
	case err := <-errs:
		return 0, err
	default:
		return float64(n/sessions*sessions) / took, nil
	}
}

// idle is the memory of a thousand programs that wait for mail.
func (b *bench) idle(ctx context.Context) error {
	const programs = 1000
	return b.turn("memory of 1,000 idle IMAP connections, above the base", measure.Bytes, 0, func(s server) (float64, error) {
		before, err := s.resident()
		if err != nil {
			return 0, err
		}
		var all []*client
		defer func() {
			for _, c := range all {
				c.close()
			}
		}()
		for i := range programs {
			c, err := dialFrom(ctx, s, fmt.Sprintf("127.0.0.%d", 1+i/100)) // nobody has a thousand from one address
			if err != nil {
				return 0, fmt.Errorf("connection %d: %w", len(all), err)
			}
			all = append(all, c)
			if _, err := c.ask("SELECT INBOX"); err != nil {
				return 0, err
			}
			if err := c.idle(); err != nil {
				return 0, err
			}
		}
		time.Sleep(2 * time.Second)
		after, err := s.resident()
		return after - before, err
	})
}
