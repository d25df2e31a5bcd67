package git

import (
	"net/http"
	"strings"
	"testing"
)

// Only a site's own refs are listed, however the client asks.
func TestListing(t *testing.T) {
	h := newHidden(t)
	for _, version := range []string{"0", "1", "2"} {
		got := h.own.git("-c", "protocol.version="+version, "ls-remote", h.url("carol", "carols"))
		if want := h.tip + "\tHEAD\n" + h.tip + "\trefs/heads/main"; got != want {
			t.Errorf("version %s: got\n%s\nwant\n%s", version, got, want)
		}
	}
	for _, prefix := range []string{"", "refs/", "refs/heads/", "refs/heads/site/", "refs/heads/site/www/", "refs/heads/accounts", "refs/tags/site/www", "../", "refs/heads/../", "HEAD", "refs/heads/config"} {
		_, body := h.send(t, "carol", http.MethodPost, "/carols/git-upload-pack",
			http.Header{"Content-Type": {"application/x-git-upload-pack-request"}, "Git-Protocol": {"version=2"}},
			pkt("command=ls-refs", "0001", "peel\n", "symrefs\n", "unborn\n", "ref-prefix "+prefix+"\n", "0000"))
		for _, hash := range h.each() {
			if strings.Contains(string(body), hash) || strings.Contains(string(body), "site/") || strings.Contains(string(body), "accounts") {
				t.Errorf("ref-prefix %q: got %q", prefix, body)
			}
		}
	}
	for _, name := range []string{"refs/heads/site/www/main", "refs/heads/main/../../site/www/main", "refs/heads/accounts"} {
		h.own.refused("fetch", "-q", h.url("carol", "carols"), name)
		_, answer := h.fetch2(t, "carol", "carols", "want-ref "+name+"\n", "done\n")
		h.wantNothing(t, "want-ref "+name, answer)
	}
}

// Names that mean another branch somewhere else.
func TestRefNameTricks(t *testing.T) {
	h := newHidden(t)
	before := allRefs(t, h.kit)
	for _, name := range []string{
		"refs/heads/../../accounts", "refs/heads/../www/main", "refs/heads/x/../../www/main", "refs/heads/./main", "refs/heads//main",
		"refs/heads/", "refs/heads", "HEAD", "refs/HEAD", "refs/heads/HEAD", "main", "refs/heads/main.lock", "refs/heads/a\\..\\b",
		"refs/heads/main\x01", "refs/heads/ma in", "refs/heads/\xff..\xff", "refs/heads/a..b", "refs/heads/@{x", "refs/notes/commits", "refs/replace/" + h.commit,
		"refs/remotes/origin/main", "refs/stash", "refs/Heads/main", "REFS/heads/main", "refs/headsX/main", "refs/heads/" + strings.Repeat("x", 5000),
		"refs/site/www/main", "../refs/heads/accounts", "/refs/heads/accounts", "refs/heads/main/", "refs/heads/-", "refs/heads/main~1", "config", "objects/info/alternates",
	} {
		_, report := h.push(t, "carol", "carols", []string{zero + " " + h.tip + " " + name}, nil)
		if strings.Contains(report, "ok "+name) && name != "refs/heads/-" {
			t.Errorf("%.60q: accepted: %q", name, report)
		}
		h.push(t, "carol", "carols", []string{h.commit + " " + zero + " " + name}, nil)
		h.push(t, "carol", "carols", []string{h.commit + " " + h.tip + " " + name}, nil)
	}
	for name, hash := range before {
		if got := h.real(t, name); got != hash {
			t.Errorf("%s: is at %s, want %s", name, got, hash)
		}
	}
	// Names of other branches mean her own of that name.
	h.own.git("push", "-q", h.url("carol", "carols"), "HEAD:refs/heads/site/www/main", "HEAD:refs/heads/accounts", "HEAD:refs/heads/MAIN2")
	for name, hash := range before {
		if got := h.real(t, name); got != hash {
			t.Errorf("%s: is at %s, want %s", name, got, hash)
		}
	}
	for _, name := range []string{"site/www/main", "accounts", "MAIN2"} {
		if got := h.real(t, "refs/heads/site/carols/"+name); got != h.tip {
			t.Errorf("carol's %s: is at %s, want %s", name, got, h.tip)
		}
	}
}

func allRefs(t *testing.T, k *kit) map[string]string {
	t.Helper()
	all := map[string]string{}
	for ref, err := range k.Repo.Backend().Refs(t.Context(), "refs/") {
		must(t, err)
		all[ref.Name] = ref.Hash.String()
	}
	return all
}

// Strange spellings of a URL's path lead nowhere, or to what may be seen anyway.
func TestPathTricks(t *testing.T) {
	h := newHidden(t)
	for _, path := range []string{
		"/../accounts", "/carols/../accounts", "/carols/../www", "/%2e%2e/accounts", "/carols%2f..%2fwww", "/carols%2F..%2Faccounts", "/carols/%2e%2e/www",
		"/./www", "//www", "/www//", "/WWW", "/www%00", "/www%0a", "/www%20", "/%77ww", "/www.git.git", "/www/.git", "/carols/../../accounts",
		"/refs/heads/accounts", "/accounts.git", "/ACCOUNTS", "/accounts%00.git", "/all/www", "/all/../www", "/dav/../accounts", "/dav/alice/../alice", "/dav//alice",
		"/%ff%fe", "/" + strings.Repeat("x", 10000), "/www;carols", "/carols@accounts", "/~alice", "/dav/%61lice",
	} {
		for _, query := range []string{"/info/refs?service=git-upload-pack", "/info/refs?service=git-receive-pack"} {
			resp, body := h.send(t, "carol", http.MethodGet, path+query, nil, nil)
			if resp.StatusCode < 300 || resp.StatusCode >= 500 {
				t.Errorf("%.60q: got %d %.200q, want a refusal", path, resp.StatusCode, body)
			}
			for what, hash := range h.each() {
				if strings.Contains(body, hash) {
					t.Errorf("%.60q: shows the %s", path, what)
				}
			}
		}
	}
}
