package unipi

import (
	"io/fs"
	"net/http"
	"time"

	"cairn/store"
)

// A snapshot is one commit of a site with what its rules say.
type snapshot struct {
	tree     *store.Tree
	key      store.Hash // of the commit, or of the tree where there is none
	modified string     // the commit's date for Last-Modified, or empty
	cache    *Cache
	preview  bool
	guards   []Guard
	maxBody  int64

	redirects     *Redirects
	headers       *HeaderRules
	redirectsBlob store.Hash
	headersBlob   store.Hash
	problems      []*RuleError
}

// treeKey names what a tree shows: its commit if it has one.
func treeKey(t *store.Tree) store.Hash {
	if rev, ok := t.Commit(); ok {
		return rev.Hash
	}
	return t.Hash()
}

// newSnapshot reads the rules of a tree; those that are the same as in before,
// which may be nil, are taken over.
func newSnapshot(t *store.Tree, before *snapshot, now time.Time) *snapshot {
	s := &snapshot{tree: t, key: treeKey(t), redirects: &Redirects{}, headers: &HeaderRules{}}
	if rev, ok := t.Commit(); ok {
		// RFC 9110, section 8.8.2.1: never a date that is still to come.
		if when := rev.Committer.When; !when.After(now) && when.Unix() > 0 {
			s.modified = when.UTC().Format(http.TimeFormat)
		}
	}
	if f, ok := ruleFile(t, "_redirects"); ok {
		s.redirectsBlob = f
		if before != nil && before.redirectsBlob == f {
			s.redirects = before.redirects
		} else {
			var errs []*RuleError
			s.redirects, errs = ParseRedirects(ruleText(t, "_redirects"))
			s.problems = append(s.problems, errs...)
		}
	}
	if f, ok := ruleFile(t, "_headers"); ok {
		s.headersBlob = f
		if before != nil && before.headersBlob == f {
			s.headers = before.headers
		} else {
			var errs []*RuleError
			s.headers, errs = ParseHeaders(ruleText(t, "_headers"))
			s.problems = append(s.problems, errs...)
		}
	}
	return s
}

// ruleFile returns the hash of _redirects or _headers.
func ruleFile(t *store.Tree, name string) (store.Hash, bool) {
	e, err := t.Lookup(name)
	if err != nil || !e.Mode.IsRegular() {
		return store.Hash{}, false
	}
	return e.Hash, true
}

// ruleText reads one of them. One that is too large reads as its size, so
// that the parser can say so.
func ruleText(t *store.Tree, name string) []byte {
	info, err := t.Stat(name)
	if err != nil {
		return nil
	}
	if info.Size() > maxRuleFileBytes {
		return make([]byte, maxRuleFileBytes+1)
	}
	data, _, err := t.Blob(name)
	if err != nil {
		return nil
	}
	return data
}

func (s *snapshot) opener(name string) func() (fs.File, error) {
	return func() (fs.File, error) { return s.tree.Open(name) }
}

// finishHead applies the site's own header rules, and then what they may not
// override.
func (s *snapshot) finishHead(h *head, path string, private bool) {
	s.headers.apply(path, h)
	if private {
		h.set("Cache-Control", cacheOwn)
		for _, name := range []string{"Cdn-Cache-Control", "Cloudflare-Cdn-Cache-Control", "Surrogate-Control", "Expires"} {
			h.remove(name)
		}
	}
	if s.preview {
		h.set("X-Robots-Tag", "noindex")
	}
}
