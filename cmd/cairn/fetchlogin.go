package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync"

	"golang.org/x/sys/unix"
)

// A login is what is shown to another server that asks for it.
type login struct {
	term terminal
	at   *url.URL

	mu             sync.Mutex
	user, password string
	asked          bool
}

// login reads what was said about it: in the URL, by --user and --password-file.
func (c *davImport) login(at *url.URL) (*login, error) {
	l := &login{at: at, user: c.User}
	if at.User != nil {
		l.user = at.User.Username()
		l.password, _ = at.User.Password()
	}
	if c.PasswordFile != "" {
		data, err := os.ReadFile(c.PasswordFile)
		if err != nil {
			return nil, err
		}
		if l.password = strings.TrimRight(string(data), "\r\n"); l.password == "" {
			return nil, fmt.Errorf("%s is empty", c.PasswordFile)
		}
	}
	if l.password != "" && l.user == "" {
		return nil, errors.New("say whose the password is: --user NAME")
	}
	if l.user != "" && at.Scheme != "https" && !isLoopbackHost(at) {
		return nil, errors.New("a password goes over https only: over http everybody on the way could read it")
	}
	return l, nil
}

// An authenticated client logs in where the server asks for it.
type authenticated struct {
	client *http.Client
	login  *login
}

// Do implements webdav.HTTPClient.
func (a *authenticated) Do(r *http.Request) (*http.Response, error) {
	for range 2 {
		user, password := a.login.known()
		if password != "" {
			r.SetBasicAuth(user, password)
		}
		res, err := a.client.Do(r)
		if err != nil || res.StatusCode != http.StatusUnauthorized {
			return res, err
		}
		res.Body.Close()
		if password != "" {
			return nil, fmt.Errorf("%s refuses this user name and password", r.URL.Host)
		}
		if err := a.login.ask(); err != nil {
			return nil, err
		}
		if r.GetBody == nil {
			continue
		}
		if r.Body, err = r.GetBody(); err != nil {
			return nil, err
		}
	}
	return nil, fmt.Errorf("%s asks for a user name and password", r.URL.Host)
}

func (l *login) known() (user, password string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.user, l.password
}

// ask asks the person at the terminal, once.
func (l *login) ask() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.password != "" {
		return nil // another request has asked meanwhile
	}
	in, ok := l.term.in.(*os.File)
	if !ok || !isTerminal(in) || l.asked {
		return fmt.Errorf("%s asks for a password: --user NAME --password-file FILE", l.at.Host)
	}
	if l.at.Scheme != "https" && !isLoopbackHost(l.at) {
		return errors.New("a password goes over https only: over http everybody on the way could read it")
	}
	l.asked = true
	lines := bufio.NewReader(io.LimitReader(in, 4096))
	if l.user == "" {
		fmt.Fprintf(l.term.err, "User at %s: ", l.at.Host)
		text, err := lines.ReadString('\n')
		if err != nil {
			return err
		}
		l.user = strings.TrimSpace(text)
	}
	fmt.Fprintf(l.term.err, "Password of %s: ", l.user)
	show := hideTyping(in)
	text, err := lines.ReadString('\n')
	show()
	fmt.Fprintln(l.term.err)
	if err != nil {
		return err
	}
	l.password = strings.TrimRight(text, "\r\n")
	return nil
}

// hideTyping keeps a terminal from showing what is typed, until show is called.
func hideTyping(f *os.File) (show func()) {
	fd := int(f.Fd())
	before, err := unix.IoctlGetTermios(fd, getTermios)
	if err != nil {
		return func() {}
	}
	hidden := *before
	hidden.Lflag &^= unix.ECHO
	if err := unix.IoctlSetTermios(fd, setTermios, &hidden); err != nil {
		return func() {}
	}
	return func() { _ = unix.IoctlSetTermios(fd, setTermios, before) } // it was set a moment ago
}
