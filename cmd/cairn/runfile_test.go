package main

import "testing"

func TestSiteURL(t *testing.T) {
	for _, tt := range []struct {
		r            running
		site, branch string
		want         string
	}{
		{running{}, "site", "main", ""},
		{running{HTTP: "http://127.0.0.1:8080"}, "site", "main", "http://localhost:8080/"},
		{running{HTTP: "http://127.0.0.1:8080"}, "blog", "main", "http://blog.localhost:8080/"},
		{running{HTTP: "http://127.0.0.1:8080"}, "blog", "draft", "http://draft.blog.localhost:8080/"},
		{running{HTTP: "https://[::]:443"}, "site", "main", "https://localhost/"},
		{running{HTTP: "http://192.0.2.2:80"}, "site", "main", "http://192.0.2.2/"},
		{running{HTTP: "http://[2001:db8::2]:80"}, "site", "main", "http://[2001:db8::2]/"},
		{running{HTTP: "http://[2001:db8::2]:8080"}, "site", "main", "http://[2001:db8::2]:8080/"},
		{running{HTTP: "https://192.0.2.2:8443", Domain: "example.org"}, "site", "main", "https://site.example.org:8443/"},
		{running{HTTP: "https://192.0.2.2:8443", Domain: "example.org"}, "site", "draft", "https://draft--site.example.org:8443/"},
	} {
		if got := tt.r.siteURL(tt.site, tt.branch); got != tt.want {
			t.Errorf("%v, %s of %s: got %q, want %q", tt.r, tt.branch, tt.site, got, tt.want)
		}
	}
}
