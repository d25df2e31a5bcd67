package unipi

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"time"

	"cairn/store"
)

// Sites serves several sites and finds the one that is meant by the Host of the
// request. It is an http.Handler; its exported fields are set before the first
// request and not changed after.
//
// A site named www lies on the branches site/www/…: main is live, every other
// branch is a preview under a host name of its own. A Host that is nobody's is
// refused with 421, so that a page elsewhere cannot reach a server on loopback by a
// name it controls (DNS rebinding).
type Sites struct {
	Repo *store.Repo

	// Base is a domain whose names lead here: a site is at <site>.<base>, a
	// preview at <branch>--<site>.<base>. Empty: there is none.
	Base string

	// Loopback serves <site>.localhost and <branch>.<site>.localhost, and
	// Default under localhost, 127.0.0.1 and [::1].
	Loopback bool
	Default  string

	// First is what the empty site of that name shows; nil: a 404.
	First func(site string) *FirstPage

	// Webhook takes POSTs to WebhookPath on a site's host, with the site's
	// name as the request's path value "site"; nil: they get 405.
	Webhook http.Handler

	Cache  *Cache       // nil: one of 128 MiB
	Access *AccessLog   // nil: no line a request
	Log    *slog.Logger // nil: nobody is told of trouble

	once sync.Once

	mu    sync.RWMutex
	named map[string]SiteConfig
	own   map[string]bool   // host names that SiteConfigs list
	hosts map[string]hosted // what a host name was found to mean
}

// WebhookPath is where forges report a push.
const WebhookPath = "/.cairn/webhook"

// A SiteConfig is what is to be known of one site.
type SiteConfig struct {
	Name   string
	Hosts  []string // full names besides those under Base
	Guards []Guard
}

// hosted is the meaning of a host name: a site, or another name to go to.
type hosted struct {
	site *Site
	name string
	goTo string
}

const liveBranch = "main"

// Set replaces the list of sites.
func (s *Sites) Set(list []SiteConfig) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.named = make(map[string]SiteConfig, len(list))
	s.own = map[string]bool{}
	s.hosts = map[string]hosted{}
	for _, c := range list {
		s.named[c.Name] = c
	}
	for _, c := range list {
		for _, h := range c.Hosts {
			s.own[canonicalHost(h)] = true
			s.hosts[canonicalHost(h)] = hosted{name: c.Name, site: s.newSite(c, liveBranch)}
		}
	}
}

func (s *Sites) newSite(c SiteConfig, branch string) *Site {
	s.once.Do(func() {
		if s.Cache == nil {
			s.Cache = &Cache{}
		}
	})
	b := s.Repo.Branch("site/" + c.Name + "/" + branch)
	site := &Site{Tree: Follow(b), Guards: c.Guards, Cache: s.Cache, Preview: branch != liveBranch}
	if s.Log != nil {
		site.Log = s.Log.With("site", c.Name, "branch", branch)
	}
	if branch == liveBranch && s.First != nil {
		site.First = s.First(c.Name)
	}
	return site
}

// ServeHTTP answers a request for whichever site it means.
func (s *Sites) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p, user := s.reply(r)
	n, err := p.write(w, r)
	s.log(r, p, user, n)
	if err != nil {
		panic(http.ErrAbortHandler) // the length has been promised: cut the connection
	}
}

func (s *Sites) log(r *http.Request, p *prepared, user string, n int64) {
	if s.Access != nil {
		s.Access.record(r, user, p.status, n, time.Now())
	}
}

func (s *Sites) reply(r *http.Request) (*prepared, string) {
	h, ok := s.find(r.Context(), canonicalHost(r.Host))
	switch {
	case !ok || r.URL.Host != "" && r.URL.Scheme != "http" && r.URL.Scheme != "https":
		return errorPage(http.StatusMisdirectedRequest), ""
	case h.goTo != "":
		return goTo(r, h.goTo), ""
	case r.Method == http.MethodPost && s.Webhook != nil && r.URL.Path == WebhookPath:
		r.SetPathValue("site", h.name)
		return record(s.Webhook, r), ""
	}
	return h.site.reply(r)
}

// goTo sends a reader to the same page under another host name.
func goTo(r *http.Request, host string) *prepared {
	scheme := "http://"
	if r.TLS != nil {
		scheme = "https://"
	}
	if _, port, ok := strings.Cut(r.Host, ":"); ok && digits(port) {
		host += ":" + port
	}
	p := &prepared{status: http.StatusMovedPermanently}
	p.head.set("Location", withQuery(scheme+host+escapePath(singleSlashes("/"+r.URL.Path)), r.URL.RawQuery))
	p.head.set("Cache-Control", cacheCheck)
	return p.seal()
}

// canonicalHost strips port and final dot and lowers the case.
func canonicalHost(host string) string {
	if strings.HasPrefix(host, "[") {
		if end := strings.IndexByte(host, ']'); end > 0 {
			return strings.ToLower(host[:end+1])
		}
		return ""
	}
	if i := strings.IndexByte(host, ':'); i >= 0 {
		host = host[:i]
	}
	return strings.ToLower(strings.TrimSuffix(host, "."))
}

// find returns what a host name means.
func (s *Sites) find(ctx context.Context, host string) (hosted, bool) {
	s.mu.RLock()
	h, ok := s.hosts[host]
	s.mu.RUnlock()
	if ok {
		return h, true
	}
	if host == "" || len(host) > 253 {
		return hosted{}, false
	}
	c, branch, goTo := s.meaning(ctx, host)
	switch {
	case goTo != "":
		return hosted{goTo: goTo}, true
	case c.Name == "":
		return hosted{}, false
	}
	return s.remember(host, c, branch), true
}

// remember keeps what a host name means, until the branch is gone.
func (s *Sites) remember(host string, c SiteConfig, branch string) hosted {
	s.mu.Lock()
	defer s.mu.Unlock()
	if h, ok := s.hosts[host]; ok {
		return h
	}
	h := hosted{name: c.Name, site: s.newSite(c, branch)}
	if branch != liveBranch {
		tree := h.site.Tree
		h.site.Tree = func(ctx context.Context) (*store.Tree, error) {
			t, err := tree(ctx)
			if errors.Is(err, fs.ErrNotExist) {
				s.forget(host)
			}
			return t, err
		}
	}
	s.hosts[host] = h
	return h
}

func (s *Sites) forget(host string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.hosts, host)
}

// meaning works out which site and branch a host name stands for, or under
// which other name it is known.
func (s *Sites) meaning(ctx context.Context, host string) (c SiteConfig, branch, goTo string) {
	label, underBase := strings.CutSuffix(host, "."+s.Base)
	underBase = underBase && s.Base != ""
	if !underBase && s.Loopback {
		if label, underBase = strings.CutSuffix(host, ".localhost"); !underBase && isLoopback(host) {
			label, underBase = s.Default, true
		}
	}
	if underBase {
		if c, branch = s.labelled(ctx, label); c.Name != "" {
			return c, branch, ""
		}
	}
	other := "www." + host
	if bare, ok := strings.CutPrefix(host, "www."); ok {
		other = bare
	}
	s.mu.RLock()
	known := s.own[other]
	s.mu.RUnlock()
	if known && !underBase {
		return SiteConfig{}, "", other
	}
	return SiteConfig{}, "", ""
}

// labelled reads what stands before a base: site, branch--site or branch.site.
func (s *Sites) labelled(ctx context.Context, label string) (SiteConfig, string) {
	s.mu.RLock()
	c, ok := s.named[label]
	var candidates []SiteConfig
	for name, other := range s.named {
		if strings.HasSuffix(label, "--"+name) || strings.HasSuffix(label, "."+name) {
			candidates = append(candidates, other)
		}
	}
	s.mu.RUnlock()
	if ok {
		return c, liveBranch
	}
	for _, c := range candidates {
		want := strings.TrimSuffix(label, c.Name)
		want = strings.TrimSuffix(strings.TrimSuffix(want, "--"), ".")
		if branch, ok := s.previewed(ctx, c.Name, want); ok {
			return c, branch
		}
	}
	return SiteConfig{}, ""
}

// previewed finds the branch of a site whose label is this. A branch of that very
// name comes before one whose slug looks the same.
func (s *Sites) previewed(ctx context.Context, site, label string) (string, bool) {
	prefix := "site/" + site + "/"
	if !validLabel(label) {
		return "", false
	}
	if _, err := s.Repo.Branch(prefix + label).Tree(ctx); err == nil && previewLabel(label, site) == label {
		return label, true
	}
	if !looksLikeSlug(label) {
		return "", false
	}
	for b, err := range s.Repo.Branches(ctx, prefix) {
		if err != nil {
			return "", false
		}
		if name := strings.TrimPrefix(b.Name(), prefix); previewLabel(name, site) == label {
			return name, true
		}
	}
	return "", false
}

func previewLabel(branch, site string) string {
	return PreviewLabel(branch, maxLabel-len("--")-len(site))
}

// PreviewHost returns the host name of a branch's preview: below Base, or
// below localhost where there is no Base.
func (s *Sites) PreviewHost(site, branch string) string {
	if s.Base != "" {
		return previewLabel(branch, site) + "--" + site + "." + s.Base
	}
	return previewLabel(branch, site) + "." + site + ".localhost"
}

func isLoopback(host string) bool {
	if host == "localhost" {
		return true
	}
	ip, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return err == nil && ip.IsLoopback()
}
