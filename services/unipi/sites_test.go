package unipi

import (
	"strings"
	"testing"

	"cairn/store"
	"cairn/store/mem"
)

func TestHosts(t *testing.T) {
	repo := store.New(mem.New(), store.Options{})
	slug := PreviewLabel("Feature/New_Look", 50)
	for branch, page := range map[string]string{
		"site/www/main": "www", "site/www/draft": "draft", "site/www/Feature/New_Look": "slugged", "site/shop/main": "shop", "site/shop/draft": "shop draft",
		"site/a--b/main": "a--b", "site/b/main": "b", "site/b/x": "x of b", "mail/ann": "private mail", "site/www/" + slug: "named like a slug",
	} {
		push(t, repo.Branch(branch), files{"index.html": page})
	}
	s := &Sites{Repo: repo, Base: "sites.example.org", Loopback: true, Default: "www"}
	s.Set([]SiteConfig{{Name: "www", Hosts: []string{"example.org", "[2001:db8::1]"}}, {Name: "shop", Hosts: []string{"www.shop.example"}}, {Name: "a--b"}, {Name: "b"}})
	for _, c := range []struct {
		host    string
		status  int
		want    string
		preview bool
	}{
		{"example.org", 200, "www", false}, {"EXAMPLE.org.", 200, "www", false}, {"example.org:8443", 200, "www", false}, {"[2001:db8::1]:80", 200, "www", false},
		{"www.sites.example.org", 200, "www", false}, {"shop.sites.example.org", 200, "shop", false},
		{"draft--www.sites.example.org", 200, "draft", true}, {"Draft--WWW.Sites.Example.Org:80", 200, "draft", true}, {"draft--shop.sites.example.org", 200, "shop draft", true},
		{slug + "--www.sites.example.org", 200, "named like a slug", true},
		{"x--b.sites.example.org", 200, "x of b", true}, {"a--b.sites.example.org", 200, "a--b", false}, {"main--www.sites.example.org", 200, "www", false},
		{"localhost", 200, "www", false}, {"localhost:4000", 200, "www", false}, {"127.0.0.1:4000", 200, "www", false}, {"[::1]:4000", 200, "www", false},
		{"www.localhost", 200, "www", false}, {"shop.localhost:4000", 200, "shop", false}, {"draft.shop.localhost", 200, "shop draft", true}, {"draft--shop.localhost", 200, "shop draft", true},
		{"www.example.org", 301, "http://example.org/", false}, {"shop.example", 301, "http://www.shop.example/", false}, {"shop.example:81", 301, "http://www.shop.example:81/", false},

		{"evil.example", 421, "", false}, {"", 421, "", false}, {"sites.example.org", 421, "", false}, {"nothing--www.sites.example.org", 421, "", false}, {"other.sites.example.org", 421, "", false},
		{"10.0.0.1", 421, "", false}, {"localhost.evil.example", 421, "", false}, {"evil.example#localhost", 421, "", false}, {"mail.localhost", 421, "", false}, {"ann.mail.localhost", 421, "", false},
		{strings.Repeat("a.", 200) + "localhost", 421, "", false}, {"..localhost", 421, "", false}, {"--www.sites.example.org", 421, "", false}, {".www.localhost", 421, "", false}, {"[::1", 421, "", false}, {"draft/x.www.localhost", 421, "", false},
	} {
		for range 2 {
			r := get(t, s, "/", "Host: "+c.host)
			got := body(t, r)
			if c.status == 301 {
				got = r.Header.Get("Location")
			}
			if r.StatusCode != c.status || c.status < 400 && got != c.want {
				t.Errorf("%.40s: got %d %q, want %d %q", c.host, r.StatusCode, got, c.status, c.want)
			}
			if noindex := r.Header.Get("X-Robots-Tag") == "noindex"; c.status == 200 && noindex != c.preview {
				t.Errorf("%s: noindex %v, want %v", c.host, noindex, c.preview)
			}
		}
	}
	for branch, want := range map[string]string{"draft": "draft--www.sites.example.org", "Feature/New_Look": slug + "--www.sites.example.org"} {
		if got := s.PreviewHost("www", branch); got != want {
			t.Errorf("PreviewHost(%q) = %q, want %q", branch, got, want)
		}
	}
	if r := get(t, s, "/a//b?x=1", "Host: www.example.org"); r.Header.Get("Location") != "http://example.org/a/b?x=1" {
		t.Errorf("www with a path: Location %q", r.Header.Get("Location"))
	}
}

// TestPreviewComesAndGoes makes, deletes and makes a branch again.
func TestPreviewComesAndGoes(t *testing.T) {
	repo := store.New(mem.New(), store.Options{})
	push(t, repo.Branch("site/www/main"), files{"index.html": "live"})
	s := &Sites{Repo: repo, Loopback: true, Default: "www"}
	s.Set([]SiteConfig{{Name: "www"}})
	draft := repo.Branch("site/www/draft")
	for i, want := range []int{421, 200, 404, 421, 200} {
		switch i {
		case 1, 4:
			push(t, draft, files{"index.html": "draft"})
		case 2:
			if err := draft.Delete(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if r := get(t, s, "/", "Host: draft.www.localhost"); r.StatusCode != want {
			t.Errorf("step %d: got %d, want %d", i, r.StatusCode, want)
		}
	}
	push(t, repo.Branch("site/www/robots"), files{"index.html": "x", "_headers": "/*\n  X-Robots-Tag: all\n"})
	if got := get(t, s, "/", "Host: robots.www.localhost").Header.Get("X-Robots-Tag"); got != "noindex" {
		t.Errorf("a preview overrides noindex: X-Robots-Tag %q", got)
	}
}

func TestPreviewLabel(t *testing.T) {
	for branch, want := range map[string]string{
		"draft": "draft", "v2-beta": "v2-beta", "a": "a",
		"Feature/New": "feature-new-", "-x": "x-", "x-": "x-", "a--b": "a-b-", "xn--bcher-kva": "xn-bcher-kva-", "ä": "b-", "---": "b-",
		strings.Repeat("long/", 30): "long-long-",
	} {
		got := PreviewLabel(branch, 40)
		if validLabel(branch) && got != want || !strings.HasPrefix(got, want) || !validLabel(got) || len(got) > 40 {
			t.Errorf("PreviewLabel(%q) = %q, want %q and a hash", branch, got, want)
		}
	}
	if a, b := PreviewLabel("a/b", 40), PreviewLabel("a_b", 40); a == b {
		t.Errorf("two branches share the label %q", a)
	}
}
