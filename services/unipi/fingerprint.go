package unipi

import (
	"path"
	"strings"
)

const (
	cacheAlways = "public, max-age=31536000, immutable"
	cacheCheck  = "public, max-age=0, must-revalidate"
	cacheOwn    = "private, max-age=0, must-revalidate"
)

// cacheControl returns how long a file may be kept unasked: for ever where its
// name changes with its content, else not at all (a 304 is cheap).
func cacheControl(name string) string {
	if fingerprinted(name) {
		return cacheAlways
	}
	return cacheCheck
}

// bundled are folders into which bundlers alone write (Vite, Astro, SvelteKit,
// Next.js, Gatsby, webpack, Parcel, Rollup).
var bundled = map[string]bool{
	"assets": true, "_astro": true, "_app": true, "_next": true, "_nuxt": true, "static": true,
	"build": true, "dist": true, "chunks": true, "immutable": true, "bundles": true,
}

// fingerprinted reports whether a file's name holds a hash of its content, as
// in app.8e2f1a9c.js, site.min.<64 hex>.css or assets/index-BVn9x3qA.js. To be wrong here
// leaves readers with a stale file for a year, so in doubt it says no:
//
//   - pages, which people link to by name, never are;
//   - the hash stands between a dot or dash and the extensions, after a name;
//   - as hex it has 8 to 128 lower-case digits with at least two of 0–9 and one of
//     a–f, and does not begin like a date (20240131);
//   - as letters of mixed kind (base64url, base32) it has exactly 8, 10, 12, 16, 20
//     or 22, changes kind about as often as chance would, holds no run that
//     reads as a word, and lies in a folder that bundlers write.
func fingerprinted(name string) bool {
	dir, base := path.Split(name)
	switch extension(base) {
	case "html", "htm", "xhtml", "":
		return false
	}
	stem := base
	for range 3 { // .min.js.map, .chunk.css
		dot := strings.LastIndexByte(stem, '.')
		if dot <= 0 || len(stem)-dot > 7 {
			break
		}
		stem = stem[:dot]
		if at := strings.LastIndexAny(stem, ".-"); at > 0 {
			token := stem[at+1:]
			if hexHash(token) || mixedHash(token) && inBundle(dir) {
				return true
			}
		}
	}
	return false
}

func inBundle(dir string) bool {
	for part := range strings.SplitSeq(dir, "/") {
		if bundled[part] {
			return true
		}
	}
	return false
}

func hexHash(s string) bool {
	if len(s) < 8 || len(s) > 128 || beginsLikeDate(s) {
		return false
	}
	digits, letters := 0, 0
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c >= '0' && c <= '9':
			digits++
		case c >= 'a' && c <= 'f':
			letters++
		default:
			return false
		}
	}
	return digits >= 2 && letters >= 1
}

// beginsLikeDate reports whether s begins with YYYYMMDD of 1900–2099.
func beginsLikeDate(s string) bool {
	return (s[:2] == "19" || s[:2] == "20") &&
		s[4:6] >= "01" && s[4:6] <= "12" && s[6:8] >= "01" && s[6:8] <= "31"
}

// mixedHash reports whether s looks like base64url or base32 of chance.
func mixedHash(s string) bool {
	switch len(s) {
	case 8, 10, 12, 16, 20, 22:
	default:
		return false
	}
	var seen [4]int // by kind
	changes, run := 0, 0
	before := -1
	for i := 0; i < len(s); i++ {
		k := kind(s[i])
		if k < 0 {
			return false
		}
		seen[k]++
		run++
		if k != before {
			changes++
			run = 1
		}
		if before = k; run >= 4 && k != kindDigit {
			return false
		}
	}
	if seen[kindDigit] == 0 || changes-1 < len(s)/2-len(s)/8 {
		return false
	}
	if seen[kindLower] == 0 { // base32
		return seen[kindUpper] >= 2 && seen[kindDigit] >= 2 && seen[kindOther] == 0
	}
	return seen[kindUpper] > 0
}

const (
	kindDigit = iota
	kindLower
	kindUpper
	kindOther
)

func kind(c byte) int {
	switch {
	case c >= '0' && c <= '9':
		return kindDigit
	case c >= 'a' && c <= 'z':
		return kindLower
	case c >= 'A' && c <= 'Z':
		return kindUpper
	case c == '_':
		return kindOther
	}
	return -1
}
