package mail

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"strconv"
	"strings"
	"time"
)

// A client speaks IMAP and does not understand more of it than it must, so that its own time counts for
// little.
type client struct {
	conn net.Conn
	in   *bufio.Reader
	tag  int
}

// dial connects and logs in.
func dial(ctx context.Context, s server) (*client, error) { return dialFrom(ctx, s, "127.0.0.1") }

// dialFrom is dial from an address of loopback.
func dialFrom(ctx context.Context, s server, from string) (*client, error) {
	conn, err := (&net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}}).DialContext(ctx, "tcp", s.imap())
	if err != nil {
		return nil, err
	}
	conn.SetDeadline(time.Now().Add(5 * time.Minute))
	c := &client{conn: conn, in: bufio.NewReaderSize(conn, 4<<10)}
	if _, err := c.in.ReadSlice('\n'); err != nil {
		return nil, err
	}
	user, password := s.login()
	_, err = c.ask("LOGIN " + user + " " + password)
	return c, err
}

func (c *client) close() { c.conn.Close() }

// ask sends a command and reads to the end of its answer. It returns how many lines of that hold a word.
func (c *client) ask(command string, words ...string) (holds int, err error) {
	c.tag++
	tag := "t" + strconv.Itoa(c.tag) + " "
	if _, err := io.WriteString(c.conn, tag+command+"\r\n"); err != nil {
		return 0, err
	}
	return c.answer(tag, command, words...)
}

func (c *client) answer(tag, command string, words ...string) (holds int, err error) {
	for {
		line, err := c.in.ReadSlice('\n')
		for errors.Is(err, bufio.ErrBufferFull) {
			line, err = c.in.ReadSlice('\n') // the end of a long line is as good
		}
		if err != nil {
			return holds, err
		}
		for _, w := range words {
			if bytes.Contains(line, []byte(w)) {
				holds++
			}
		}
		if n := literal(line); n > 0 {
			if _, err := c.in.Discard(n); err != nil {
				return holds, err
			}
			continue
		}
		if bytes.HasPrefix(line, []byte(tag)) {
			if !bytes.HasPrefix(line[len(tag):], []byte("OK")) {
				return holds, fmt.Errorf("%.60s: %s", command, line)
			}
			return holds, nil
		}
	}
}

// literal is how many bytes follow a line.
func literal(line []byte) int {
	line = bytes.TrimRight(line, "\r\n")
	open := bytes.LastIndexByte(line, '{')
	if open < 0 || !bytes.HasSuffix(line, []byte("}")) {
		return 0
	}
	n, _ := strconv.Atoi(string(line[open+1 : len(line)-1]))
	return n
}

// append puts a message into a mailbox.
func (c *client) append(box, text string) error {
	c.tag++
	tag := "t" + strconv.Itoa(c.tag) + " "
	if _, err := fmt.Fprintf(c.conn, "%sAPPEND %s {%d+}\r\n%s\r\n", tag, box, len(text), text); err != nil {
		return err
	}
	_, err := c.answer(tag, "APPEND")
	return err
}

// idle begins to wait.
func (c *client) idle() error {
	c.tag++
	if _, err := fmt.Fprintf(c.conn, "t%d IDLE\r\n", c.tag); err != nil {
		return err
	}
	for {
		line, err := c.in.ReadSlice('\n')
		if err != nil || line[0] == '+' {
			return err
		}
	}
}

// count is how many messages alice's inbox has.
func count(ctx context.Context, s server) (int, error) {
	c, err := dial(ctx, s)
	if err != nil {
		return 0, err
	}
	defer c.close()
	if _, err := io.WriteString(c.conn, "x STATUS INBOX (MESSAGES)\r\n"); err != nil {
		return 0, err
	}
	line := ""
	for !strings.HasPrefix(line, "* STATUS") {
		if line, err = c.in.ReadString('\n'); err != nil {
			return 0, err
		}
		if strings.HasPrefix(line, "x ") {
			return 0, fmt.Errorf("STATUS: %s", line)
		}
	}
	_, text, _ := strings.Cut(line, "MESSAGES ")
	n, err := strconv.Atoi(strings.TrimRight(text, ")\r\n"))
	if err != nil {
		return 0, fmt.Errorf("STATUS: %s", line)
	}
	return n, nil
}

// rare is a word that one message in a thousand has.
const rare = "quincunx"

// message is the n-th message of 4 KB.
func message(n int) string {
	random := rand.New(rand.NewPCG(uint64(n), 1))
	var b strings.Builder
	fmt.Fprintf(&b, "From: Bob <bob@example.net>\r\nTo: alice@localhost\r\nSubject: message %d about %s\r\nMessage-ID: <%d@example.net>\r\n"+
		"Date: Sat, 21 Nov 2026 %02d:%02d:%02d +0000\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n", n, word(random), n, n/3600%24, n/60%60, n%60)
	if n%1000 == 500 {
		b.WriteString("here is a " + rare + "\r\n")
	}
	for b.Len() < 4000 {
		for range 10 {
			b.WriteString(word(random) + " ")
		}
		b.WriteString("\r\n")
	}
	return b.String()
}

// word is one of some ten thousand.
func word(random *rand.Rand) string {
	n := int(random.ExpFloat64() * 1500)
	var b []byte
	for n++; n > 0; n /= 20 {
		b = append(b, "bcdfghjklmnprstvwxyz"[n%20], "aeiou"[n%5])
	}
	return string(b)
}
