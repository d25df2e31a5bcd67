package domain

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"time"
)

// patience is how long one server may take.
const patience = 20 * time.Second

// policy fetches the policy as others do.
func (c *Checker) policy(ctx context.Context, s *Setup) []Finding {
	if s.Policy == "" || c.Client == nil {
		return nil
	}
	url := "https://" + PolicyHost(s.Domain) + policyPath
	f := Finding{What: "policy " + url, Need: Should}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	text, err := c.fetch(ctx, url)
	switch {
	case err != nil:
		f.State, f.Words = Missing, fmt.Sprintf("could not be fetched: %v. Mail comes all the same, but unprotected: serve the web over TLS at port 443", err)
	case strings.ReplaceAll(text, "\r\n", "\n") != strings.ReplaceAll(s.PolicyText(), "\r\n", "\n"):
		f.State, f.Words = Wrong, "another policy is there: does the name lead to another machine?"
	default:
		f.Words = "is there, mode " + s.Policy
	}
	return []Finding{f}
}

func (c *Checker) fetch(ctx context.Context, url string) (string, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return "", err
	}
	resp, err := c.Client.Do(r)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(io.LimitReader(resp.Body, 64<<10))
	if err == nil && resp.StatusCode != http.StatusOK {
		err = errors.New(resp.Status)
	}
	return string(data), err
}

// reverse looks whether the machine's addresses lead back to its name: many refuse mail from those that
// do not.
func (c *Checker) reverse(ctx context.Context, s *Setup) (list []Finding) {
	addresses, err := c.addresses(ctx, s.Host)
	if err != nil {
		return []Finding{{"reverse DNS", Unknown, Must, "could not be looked up: " + err.Error()}}
	}
	for _, a := range addresses {
		f := Finding{What: "reverse DNS " + a.String(), Need: Must}
		names, err := c.Query(ctx, backward(a, "in-addr.arpa", "ip6.arpa"), "PTR")
		switch {
		case err != nil:
			f.State, f.Words = Unknown, "could not be looked up: "+err.Error()
		case len(names) == 0:
			f.State, f.Words = Missing, "the address has no name; many do not take mail from it. Ask whoever gives you the address to set it to "+s.Host
		case !slices.ContainsFunc(names, func(n string) bool { return strings.EqualFold(n, s.Host) }):
			f.State, f.Words = Wrong, fmt.Sprintf("the address is called %s. Ask whoever gives you the address to set it to %s", names[0], s.Host)
		default:
			f.Words = s.Host
		}
		list = append(list, f)
	}
	return list
}

// backward is the name under which something is said of an address: its parts from the last to the
// first (RFC 1035 §3.5, RFC 3596 §2.5).
func backward(a netip.Addr, zone4, zone6 string) string {
	var b strings.Builder
	if a = a.Unmap(); a.Is4() {
		bytes := a.As4()
		for _, n := range slices.Backward(bytes[:]) {
			fmt.Fprintf(&b, "%d.", n)
		}
		return b.String() + zone4
	}
	bytes := a.As16()
	for _, n := range slices.Backward(bytes[:]) {
		fmt.Fprintf(&b, "%x.%x.", n&15, n>>4)
	}
	return b.String() + zone6
}

// inward looks whether the machine takes mail and encrypts. From inside of a home this may not work
// though it does from everywhere else.
func (c *Checker) inward(ctx context.Context, s *Setup) []Finding {
	f := Finding{What: "mail server " + s.Host + ":25", Need: Must}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	state, err := c.greet(ctx, net.JoinHostPort(s.Host, "25"), s.Host)
	switch {
	case err != nil && state == "":
		f.State, f.Words = Missing, fmt.Sprintf("does not answer: %v. Is port 25 open in the firewall, and led here by the router? (From inside the same network this may fail though it works from outside.)", err)
	case err != nil:
		f.State, f.Words = Wrong, fmt.Sprintf("%s: %v", state, err)
	default:
		f.Words = state
	}
	return []Finding{f}
}

// outward looks whether mail can leave.
func (c *Checker) outward(ctx context.Context, s *Setup) []Finding {
	if c.Outward == "" {
		return nil
	}
	f := Finding{What: "port 25 outward", Need: Must}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if state, err := c.greet(ctx, c.Outward, ""); err != nil && state == "" {
		f.State, f.Words = Missing, fmt.Sprintf("%s does not answer: %v. Whoever gives you the line blocks port 25, as is usual in homes: ask them to open it, or send through a smarthost (cairn mail smarthost)", c.Outward, err)
	} else {
		f.Words = "is open"
	}
	return []Finding{f}
}

// greet speaks with a server of mail as far as its certificate, which has to be for the name unless that is
// empty. The state is how far it came, "" for not connected.
func (c *Checker) greet(ctx context.Context, address, name string) (state string, err error) {
	conn, err := c.Dial(ctx, "tcp", address)
	if err != nil {
		return "", err
	}
	defer conn.Close()
	if deadline, ok := ctx.Deadline(); ok {
		conn.SetDeadline(deadline)
	}
	r := bufio.NewReaderSize(conn, 2048)
	greeting, err := answer(r, "220")
	if err != nil {
		return "it answers, but not as a server of mail", err
	}
	if name == "" {
		return greeting, nil
	}
	if !strings.EqualFold(strings.Fields(greeting + " x")[0], name) {
		return "somebody else answers", fmt.Errorf("it calls itself %q", greeting)
	}
	for _, line := range []string{"EHLO check." + name, "STARTTLS"} { // its own name is its own
		if _, err := io.WriteString(conn, line+"\r\n"); err != nil {
			return "it hangs up", err
		}
		want := map[bool]string{true: "220", false: "250"}[line == "STARTTLS"]
		if _, err := answer(r, want); err != nil {
			return "it does not encrypt: give it a certificate (--acme)", err
		}
	}
	secure := tls.Client(conn, &tls.Config{ServerName: name, RootCAs: c.roots()})
	if err := secure.HandshakeContext(ctx); err != nil {
		return "its certificate is not one that others trust", err
	}
	return "answers, encrypted, with a certificate for its name", nil
}

func (c *Checker) roots() *x509.CertPool {
	if c.Client == nil {
		return nil
	}
	if t, ok := c.Client.Transport.(*http.Transport); ok && t.TLSClientConfig != nil {
		return t.TLSClientConfig.RootCAs
	}
	return nil
}

// answer reads an answer of SMTP (RFC 5321 §4.2.1), and returns the text of its first line.
func answer(r *bufio.Reader, want string) (text string, err error) {
	for n := 0; n < 100; n++ {
		line, err := r.ReadSlice('\n')
		if err != nil {
			return "", err
		}
		if len(line) < 4 {
			return "", fmt.Errorf("it says %q", line)
		}
		if n == 0 {
			text = strings.TrimSpace(string(line[4:]))
		}
		if line[3] == '-' {
			continue
		}
		if string(line[:3]) != want {
			return "", fmt.Errorf("it says %q", strings.TrimSpace(string(line)))
		}
		return text, nil
	}
	return "", errors.New("its answer does not end")
}

// listed looks whether the machine is on lists of those who send junk.
func (c *Checker) listed(ctx context.Context, s *Setup) (list []Finding) {
	addresses, err := c.addresses(ctx, s.Host)
	if err != nil {
		return nil
	}
	for _, a := range addresses {
		for _, zone := range c.Lists {
			f := Finding{What: "block list " + zone + " " + a.String(), Need: Should}
			found, err := c.Query(ctx, backward(a, zone, zone), "A")
			switch {
			case err != nil:
				f.State, f.Words = Unknown, "could not be asked: "+err.Error()
			case slices.ContainsFunc(found, refusesToTell):
				f.State, f.Words = Unknown, "the list does not answer whoever resolves names here: ask it by another resolver (--dns)"
			case len(found) > 0:
				f.State, f.Words = Wrong, "the address is on it, and many will not take mail from it. The list's own pages say how it comes off"
			default:
				f.Words = "the address is not on it"
			}
			list = append(list, f)
		}
	}
	return list
}

// refusesToTell says that a list answers that it does not answer: 127.255.255.x.
func refusesToTell(a string) bool { return strings.HasPrefix(a, "127.255.255.") }
