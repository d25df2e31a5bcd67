package smtp

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"cairn/services/mail/auth"
)

// lookTime bounds what is asked of the DNS about a client.
const lookTime = 10 * time.Second

// facts are what the DNS says of a client. They are asked for as soon as it comes, and
// waited for when its first message is here.
type facts struct {
	cancel context.CancelFunc
	done   sync.WaitGroup

	reverse auth.IPRev
	listed  []string // by which of the lists
}

// look asks. It is nil when there is nobody to ask.
func (s *Server) look(ctx context.Context, client netip.Addr) *facts {
	checker := s.Mail.Checker
	if checker == nil || !client.IsValid() {
		return nil
	}
	f := &facts{}
	ctx, f.cancel = context.WithTimeout(ctx, lookTime)
	f.done.Go(func() { f.reverse = checker.Reverse(ctx, client) })
	f.done.Go(func() { f.listed = s.listed(ctx, checker.Resolver, client) })
	return f
}

// get waits for the answers.
func (f *facts) get() *facts {
	if f != nil {
		f.done.Wait()
	}
	return f
}

func (f *facts) stop() {
	if f != nil {
		f.cancel()
		f.done.Wait()
	}
}

// listed asks the block lists that are configured (RFC 5782 §2.1).
func (s *Server) listed(ctx context.Context, r auth.Resolver, client netip.Addr) []string {
	conf, err := s.Mail.Config.Mail(ctx)
	if err != nil || client.IsLoopback() || client.IsPrivate() || client.IsLinkLocalUnicast() {
		return nil
	}
	var mu sync.Mutex
	var found []string
	var asked sync.WaitGroup
	for _, list := range conf.DNSBL {
		asked.Go(func() {
			addrs, err := r.LookupNetIP(ctx, "ip4", reversed(client)+"."+list)
			if err == nil && slices.ContainsFunc(addrs, isListing) {
				mu.Lock()
				defer mu.Unlock()
				found = append(found, list)
			}
		})
	}
	asked.Wait()
	slices.Sort(found)
	return found
}

// isListing reports whether a list's answer means what it should: some say in 127.255.255.0/24 that they do
// not like to be asked, and a resolver that invents answers gives others.
func isListing(a netip.Addr) bool {
	b := a.Unmap().AsSlice()
	return len(b) == 4 && b[0] == 127 && !(b[1] == 255 && b[2] == 255)
}

// reversed is an address as block lists are asked for it.
func reversed(a netip.Addr) string {
	var parts []string
	for _, b := range a.Unmap().AsSlice() {
		if a.Unmap().Is4() {
			parts = append(parts, fmt.Sprint(b))
		} else {
			parts = append(parts, fmt.Sprintf("%x", b>>4), fmt.Sprintf("%x", b&15))
		}
	}
	slices.Reverse(parts)
	return strings.Join(parts, ".")
}
