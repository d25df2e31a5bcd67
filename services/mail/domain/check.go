package domain

import (
	"context"
	"fmt"
	"iter"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// A Checker looks at how a domain is set up in the world.
type Checker struct {
	// Query returns the records of a name and type as Record.Value has them; none is nil and no error.
	Query func(ctx context.Context, name, kind string) ([]string, error)
	// Dial connects to servers of mail, ours and others.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
	// Client fetches the policy.
	Client *http.Client
	// Lists are lists of senders of junk (RFC 5782) that the machine should not be on.
	Lists []string
	// Outward is a server of somebody else's to which port 25 has to be open, as host:port.
	Outward string
}

// Defaults of Lists and Outward.
var DefaultLists = []string{"zen.spamhaus.org", "bl.spamcop.net", "psbl.surriel.com"}

// DefaultOutward is a server of mail that is always there.
const DefaultOutward = "gmail-smtp-in.l.google.com:25"

// A State is what has become of something that should be so.
type State int

const (
	OK      State = iota
	Missing       // it is not there
	Wrong         // it is there and says something else
	Unknown       // it could not be found out
)

// String is the state in a word.
func (s State) String() string { return [...]string{"ok", "missing", "wrong", "unknown"}[s] }

// A Finding is what was found out about one thing.
type Finding struct {
	What  string // such as "MX example.org"
	State State
	Need  Need
	Words string // what is so, and unless that is as it should be what to do, for people
}

// Check looks at everything, one thing after another.
func (c *Checker) Check(ctx context.Context, s *Setup) iter.Seq[Finding] {
	return func(yield func(Finding) bool) {
		for _, r := range s.Records() {
			if ctx.Err() != nil || !yield(c.record(ctx, r, s)) {
				return
			}
		}
		for _, look := range []func(context.Context, *Setup) []Finding{c.policy, c.reverse, c.inward, c.outward, c.listed} {
			for _, f := range look(ctx, s) {
				if ctx.Err() != nil || !yield(f) {
					return
				}
			}
		}
	}
}

// record looks whether a record is there.
func (c *Checker) record(ctx context.Context, r Record, s *Setup) Finding {
	f := Finding{What: r.Type + " " + r.Name, Need: r.Need}
	found, err := c.Query(ctx, r.Name, r.Type)
	if err == nil && r.Type == "CNAME" && len(found) == 0 {
		return c.leads(ctx, r, f, s)
	}
	switch {
	case err != nil:
		f.State, f.Words = Unknown, "could not be looked up: "+err.Error()
	default:
		f.State, f.Words = compare(r, found)
	}
	if f.State == Missing || f.State == Wrong {
		f.Words += fmt.Sprintf("; %s. It should be: %s", r.Why, r.Value)
	}
	return f
}

// leads judges a name that has addresses in place of an alias: they have to be the machine's.
func (c *Checker) leads(ctx context.Context, r Record, f Finding, s *Setup) Finding {
	theirs, err := c.addresses(ctx, r.Name)
	ours, err2 := c.addresses(ctx, s.Host)
	switch {
	case err != nil || err2 != nil:
		f.State, f.Words = Unknown, "could not be looked up"
	case len(theirs) == 0:
		f.State, f.Words = Missing, fmt.Sprintf("there is no such name; %s. It should be an alias of %s", r.Why, s.Host)
	case !slices.ContainsFunc(theirs, func(a netip.Addr) bool { return slices.Contains(ours, a) }):
		f.State, f.Words = Wrong, fmt.Sprintf("leads to another machine (%s); %s. It should be an alias of %s", theirs[0], r.Why, s.Host)
	default:
		f.Words = "leads to " + s.Host
	}
	return f
}

func (c *Checker) addresses(ctx context.Context, name string) (list []netip.Addr, err error) {
	for _, kind := range []string{"A", "AAAA"} {
		values, err := c.Query(ctx, name, kind)
		if err != nil {
			return nil, err
		}
		for _, v := range values {
			if a, err := netip.ParseAddr(v); err == nil {
				list = append(list, a)
			}
		}
	}
	return list, nil
}

// compare says whether what was found is what a record should be.
func compare(r Record, found []string) (State, string) {
	switch {
	case len(found) == 0:
		return Missing, "there is none"
	case r.Type == "TXT":
		return compareText(r, found)
	case r.Type == "MX", r.Type == "SRV":
		return compareTarget(r, found)
	case slices.ContainsFunc(found, func(v string) bool { return strings.EqualFold(v, r.Value) }):
		return OK, r.Value
	}
	return Wrong, "it says " + strings.Join(found, ", ")
}

// compareTarget looks at where records lead; how they are preferred is the domain's affair.
func compareTarget(r Record, found []string) (State, string) {
	skip := map[string]int{"MX": 1, "SRV": 2}[r.Type]
	target := func(v string) string {
		return strings.ToLower(strings.Join(strings.Fields(v)[min(skip, len(strings.Fields(v))):], " "))
	}
	var others []string
	ok := false
	for _, v := range found {
		if target(v) == target(r.Value) {
			ok = true
		} else {
			others = append(others, target(v))
		}
	}
	switch {
	case !ok:
		return Wrong, "it leads to " + strings.Join(others, ", ")
	case len(others) > 0:
		return OK, fmt.Sprintf("%s, and to %s as well", target(r.Value), strings.Join(others, ", "))
	}
	return OK, target(r.Value)
}

// compareText looks at the one text that is of the record's kind.
func compareText(r Record, found []string) (State, string) {
	kind, _, _ := strings.Cut(r.Value, ";")
	kind, _, _ = strings.Cut(kind, " ")
	var same []string
	for _, v := range found {
		if first, _, _ := strings.Cut(strings.TrimSpace(v), ";"); strings.EqualFold(strings.Fields(first + " x")[0], kind) {
			same = append(same, strings.TrimSpace(v))
		}
	}
	switch {
	case len(same) == 0:
		return Missing, "there is none of this kind"
	case len(same) > 1:
		return Wrong, fmt.Sprintf("there are %d of this kind, and so none counts", len(same))
	case same[0] == r.Value:
		return OK, r.Value
	}
	return compareTags(r.Value, same[0])
}

// compareTags judges a text that is not what it should be, but may do.
func compareTags(want, got string) (State, string) {
	says := "it says " + got
	switch {
	case strings.HasPrefix(want, "v=spf1"):
		for _, word := range strings.Fields(want)[1:] {
			if !strings.HasSuffix(word, "all") && !slices.Contains(strings.Fields(strings.ToLower(got)), word) {
				return Wrong, says + ", which does not name the machine (" + word + ")"
			}
		}
		return OK, got
	case strings.HasPrefix(want, "v=DMARC1"):
		if p := tag(got, "p"); p == "none" || p == "" {
			return OK, got + " (p=none protects nobody yet: make it quarantine when reports look well)"
		}
		return OK, got
	case strings.HasPrefix(want, "v=DKIM1"):
		if tag(want, "p") == tag(got, "p") && (tag(want, "k") == tag(got, "k") || tag(got, "k") == "" && tag(want, "k") == "rsa") {
			return OK, "the key is there"
		}
		return Wrong, "it holds another key"
	case strings.HasPrefix(want, "v=TLSRPTv1"):
		return OK, got
	case strings.HasPrefix(want, "v=STSv1") && tag(want, "id") == tag(got, "id"):
		return OK, got
	}
	return Wrong, says
}

// tag is the value of a tag=value list, without the blanks in it.
func tag(list, name string) string {
	for t := range strings.SplitSeq(list, ";") {
		key, value, ok := strings.Cut(t, "=")
		if ok && strings.EqualFold(strings.TrimSpace(key), name) {
			return strings.Join(strings.Fields(value), "")
		}
	}
	return ""
}
