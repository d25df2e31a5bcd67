package unipi

import (
	"log/slog"
	"net/http"
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

	// Known says where paths below /.well-known/ lead: a URL for each host name and path
	// together, such as "example.org/.well-known/caldav" (RFC 6764).
	Known map[string]string

	// Also returns who answers a request that is no site's, such as one for the settings of
	// mail programs, nil for all others. It is asked first, of every request. Nil: nobody does.
	Also func(r *http.Request) http.Handler

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
	if len(s.Known) > 0 && strings.HasPrefix(r.URL.Path, "/.well-known/") {
		if to, ok := s.Known[canonicalHost(r.Host)+r.URL.Path]; ok {
			return known(to), ""
		}
	}
	if s.Also != nil {
		if h := s.Also(r); h != nil {
			return record(h, r), ""
		}
	}
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

// known leads to a URL, whatever the method (RFC 6764 §5).
func known(url string) *prepared {
	p := &prepared{status: http.StatusMovedPermanently}
	p.head.set("Location", url)
	p.head.set("Cache-Control", cacheCheck)
	return p.seal()
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
