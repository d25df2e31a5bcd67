package unipi

import (
	"context"
	"errors"
	"io/fs"
	"strings"

	"cairn/store"
)

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

// isLoopback reports whether a host is loopback by one of its three usual names. It
// has countless others, and each would be remembered.
func isLoopback(host string) bool {
	return host == "localhost" || host == "127.0.0.1" || host == "[::1]"
}
