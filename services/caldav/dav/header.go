package dav

import (
	"math"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// Depth is how far below a resource a request reaches.
type Depth int

const (
	DepthZero     Depth = 0
	DepthOne      Depth = 1
	DepthInfinity Depth = math.MaxInt
)

// ParseDepth reads the Depth header (RFC 4918 §10.2); missing is what holds without one.
func ParseDepth(h http.Header, missing Depth) (Depth, error) {
	switch v := strings.TrimSpace(h.Get("Depth")); {
	case v == "":
		return missing, nil
	case v == "0":
		return DepthZero, nil
	case v == "1":
		return DepthOne, nil
	case strings.EqualFold(v, "infinity"):
		return DepthInfinity, nil
	}
	return 0, Errorf(http.StatusBadRequest, "Depth is 0, 1 or infinity")
}

// ParseDestination reads the Destination header (RFC 4918 §10.3): an absolute path, or a URL on the host that the request
// went to; 502 for another. The result has only Path (decoded) and RawPath.
func ParseDestination(r *http.Request) (*url.URL, error) {
	v := strings.TrimSpace(r.Header.Get("Destination"))
	if v == "" {
		return nil, Errorf(http.StatusBadRequest, "%s needs a Destination", r.Method)
	}
	return resolveHref(r, v, http.StatusBadGateway)
}

// ParseOverwrite reads the Overwrite header (RFC 4918 §10.6). Without one, what is there may be overwritten.
func ParseOverwrite(h http.Header) (bool, error) {
	switch strings.TrimSpace(h.Get("Overwrite")) {
	case "", "T", "t":
		return true, nil
	case "F", "f":
		return false, nil
	}
	return false, Errorf(http.StatusBadRequest, "Overwrite is T or F")
}

// ParseTimeout reads the Timeout header (RFC 4918 §10.7): the first kind that is understood, math.MaxInt64 for
// Infinite, 0 if there is none. It is a wish; the server decides.
func ParseTimeout(h http.Header) time.Duration {
	for v := range strings.SplitSeq(h.Get("Timeout"), ",") {
		v = strings.TrimSpace(v)
		if strings.EqualFold(v, "Infinite") {
			return math.MaxInt64
		}
		if len(v) <= len("Second-") || !strings.EqualFold(v[:len("Second-")], "Second-") {
			continue
		}
		n, err := strconv.ParseUint(v[len("Second-"):], 10, 32)
		if err == nil && n > 0 {
			return time.Duration(n) * time.Second
		}
	}
	return 0
}

// ParseLockToken reads the Lock-Token header of UNLOCK (RFC 4918 §10.5).
func ParseLockToken(h http.Header) (string, error) {
	v := strings.TrimSpace(h.Get("Lock-Token"))
	if len(v) < 3 || v[0] != '<' || v[len(v)-1] != '>' || strings.ContainsAny(v[1:len(v)-1], "<> \t") {
		return "", Errorf(http.StatusBadRequest, "Lock-Token holds one URI in angle brackets")
	}
	return v[1 : len(v)-1], nil
}

// Prefer is what a client would like (RFC 7240, 8144).
type Prefer struct {
	Minimal        bool // return=minimal, or the older Brief: t
	Representation bool // return=representation
	NoRoot         bool // depth-noroot
}

// ParsePrefer reads the Prefer and Brief headers. What it does not understand is left out, as RFC 7240 §2 asks.
func ParsePrefer(h http.Header) Prefer {
	var p Prefer
	for _, line := range h.Values("Prefer") {
		for v := range strings.SplitSeq(line, ",") {
			v, _, _ = strings.Cut(v, ";")
			name, value, _ := strings.Cut(v, "=")
			name = strings.ToLower(strings.TrimSpace(name))
			if value = strings.Trim(value, " \t\""); value != "" {
				name += "=" + strings.ToLower(value)
			}
			switch name {
			case "return=minimal", "return-minimal":
				p.Minimal = !p.Representation
			case "return=representation", "return-representation":
				p.Representation = !p.Minimal
			case "depth-noroot":
				p.NoRoot = true
			}
		}
	}
	if strings.EqualFold(strings.TrimSpace(h.Get("Brief")), "t") {
		p.Minimal = !p.Representation
	}
	return p
}

// Applied returns the value of Preference-Applied for what was honoured, or "" for none (RFC 7240 §3).
func (p Prefer) Applied() string {
	switch {
	case p.Minimal:
		return "return=minimal"
	case p.Representation:
		return "return=representation"
	}
	return ""
}
