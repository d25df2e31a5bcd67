package sts

import (
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"sync"
	"time"
)

// A Resolver is what looks for a domain's record.
type Resolver interface {
	LookupTXT(ctx context.Context, name string) ([]string, error)
}

// A Cache finds policies and keeps them for as long as they say. Safe for concurrent use.
type Cache struct {
	Resolver Resolver
	// HTTP fetches policies. Nil: no domain has one.
	HTTP *http.Client
	// Now is the clock.
	Now func() time.Time

	mu    sync.Mutex
	known map[string]*known
}

// known is what we have heard of a domain.
type known struct {
	id      string
	policy  Policy
	expires time.Time
	tried   time.Time // the last time that fetching went wrong
}

// Bounds of the cache and of a fetch, and how long we do not try again after one that went wrong.
const (
	maxKnown  = 10_000
	fetchTime = time.Minute
	retryTime = 5 * time.Minute
)

// Policy returns what a domain says. Where that cannot be found out, what is still good of earlier
// holds (§5.1), and else nothing.
func (c *Cache) Policy(ctx context.Context, domain string) Policy {
	if c.HTTP == nil {
		return Policy{}
	}
	now := c.Now()
	old, tried := c.lookup(domain, now)
	records, err := c.Resolver.LookupTXT(ctx, "_mta-sts."+domain+".")
	id, ok := ParseRecord(records)
	switch {
	case err != nil || !ok, old != nil && old.id == id:
		return old.orNone()
	case !tried.IsZero() && now.Sub(tried) < retryTime:
		return old.orNone()
	}
	p, err := c.fetch(ctx, domain)
	if err != nil {
		if ctx.Err() == nil {
			c.failed(domain, now)
		}
		return old.orNone()
	}
	c.keep(domain, &known{id: id, policy: p, expires: now.Add(p.MaxAge)})
	return p
}

func (k *known) orNone() Policy {
	if k == nil {
		return Policy{}
	}
	return k.policy
}

// lookup returns what is known and still good, and when fetching went wrong last.
func (c *Cache) lookup(domain string, now time.Time) (*known, time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	k := c.known[domain]
	switch {
	case k == nil:
		return nil, time.Time{}
	case !k.expires.After(now):
		return nil, k.tried
	}
	good := *k
	return &good, k.tried
}

func (c *Cache) failed(domain string, now time.Time) {
	c.mu.Lock()
	k := c.known[domain]
	c.mu.Unlock()
	next := known{tried: now}
	if k != nil {
		next = *k
		next.tried = now
	}
	c.keep(domain, &next)
}

// keep remembers. To make room it forgets what is over and, where that is not enough, any half.
func (c *Cache) keep(domain string, k *known) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.known == nil {
		c.known = map[string]*known{}
	}
	if len(c.known) >= maxKnown {
		now := c.Now()
		for d, k := range c.known {
			if !k.expires.After(now) {
				delete(c.known, d)
			}
		}
		full := len(c.known) >= maxKnown
		for d := range c.known {
			if !full || len(c.known) <= maxKnown/2 {
				break
			}
			delete(c.known, d)
		}
	}
	c.known[domain] = k
}

// fetch gets a domain's policy (§3.3): over https with a good certificate, from where it has to be, as
// redirects are not followed.
func (c *Cache) fetch(ctx context.Context, domain string) (Policy, error) {
	ctx, cancel := context.WithTimeout(ctx, fetchTime)
	defer cancel()
	url := "https://mta-sts." + domain + "/.well-known/mta-sts.txt"
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return Policy{}, err
	}
	client := *c.HTTP
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	res, err := client.Do(r)
	if err != nil {
		return Policy{}, err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return Policy{}, fmt.Errorf("fetch %s: %s", url, res.Status)
	}
	if kind, _, err := mime.ParseMediaType(res.Header.Get("Content-Type")); err != nil || kind != "text/plain" {
		return Policy{}, errors.New("policy is not text/plain")
	}
	text, err := io.ReadAll(io.LimitReader(res.Body, maxPolicy+1))
	if err != nil {
		return Policy{}, err
	}
	return Parse(text)
}
