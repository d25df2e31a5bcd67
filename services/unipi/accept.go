package unipi

import (
	"strconv"
	"strings"
)

// A coding is a content coding (RFC 9110, section 8.4.1). When a client likes
// several equally, the lower number is sent.
type coding int

const (
	identity coding = iota
	brotli
	zstandard
	gzipped
	codings // how many there are
)

var (
	codingName = [codings]string{identity: "identity", brotli: "br", zstandard: "zstd", gzipped: "gzip"}
	codingExt  = [codings]string{brotli: ".br", zstandard: ".zst", gzipped: ".gz"}
	etagSuffix = [codings]string{brotli: "-br", zstandard: "-zst", gzipped: "-gz"}
)

// A preference is the codings that a client takes, the one it likes most first.
type preference struct {
	list [codings]coding
	n    int
}

// anyCoding is the preference of a client that does not say.
var anyCoding = preference{n: 1}

// parseAccept reads Accept-Encoding (RFC 9110, section 12.5.3). identity comes
// after all others that are as good, and is missing when it is refused.
func parseAccept(header string) preference {
	if header == "" {
		return anyCoding
	}
	q := [codings]int{-1, -1, -1, -1} // thousandths; -1: not named
	star := -1
	for item := range strings.SplitSeq(header, ",") {
		name, params, _ := strings.Cut(item, ";")
		weight := parseWeight(params)
		switch strings.ToLower(strings.Trim(name, " \t")) {
		case "br":
			q[brotli] = weight
		case "zstd":
			q[zstandard] = weight
		case "gzip", "x-gzip":
			q[gzipped] = weight
		case "identity":
			q[identity] = weight
		case "*":
			star = weight
		}
	}
	for c := range q {
		if q[c] < 0 {
			q[c] = star
		}
	}
	if q[identity] < 0 {
		q[identity] = 1 // acceptable, and liked least
	}
	var p preference
	for {
		best := coding(-1)
		for c := brotli; c < codings; c++ {
			if q[c] > 0 && (best < 0 || q[c] > q[best]) {
				best = c
			}
		}
		if q[identity] > 0 && (best < 0 || q[identity] > q[best]) {
			best = identity
		}
		if best < 0 {
			return p
		}
		p.list[p.n] = best
		p.n++
		q[best] = 0
	}
}

// parseWeight reads ";q=0.5" in thousandths. What is malformed counts as 0: the
// client gets what it surely understands.
func parseWeight(params string) int {
	params = strings.Trim(params, " \t")
	if params == "" {
		return 1000
	}
	value, ok := strings.CutPrefix(params, "q=")
	if !ok {
		value, ok = strings.CutPrefix(params, "Q=")
	}
	f, err := strconv.ParseFloat(value, 64)
	if !ok || err != nil || !(f >= 0 && f <= 1) {
		return 0
	}
	return int(f * 1000)
}
