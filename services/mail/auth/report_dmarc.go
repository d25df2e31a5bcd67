package auth

import (
	"cmp"
	"fmt"
	"io"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"
)

// maxRows is how many rows of a DMARC report are read.
const maxRows = 50_000

// A DMARCReport is who sent mail in the name of a domain, and what became of it there.
type DMARCReport struct {
	Org, Email, ID string // who reports
	Begin, End     time.Time
	Domain         string
	Policy         Disposition // as the reporter saw it published
	Subdomains     Disposition
	Errors         []string
	Rows           []DMARCRow
}

// A DMARCRow is the messages of a report that have all this in common.
type DMARCRow struct {
	IP           netip.Addr
	Count        int64
	Action       Disposition // what the reporter did
	DKIM, SPF    Verdict     // aligned: DMARC passes with one of them
	Reasons      []string    // why Action is not what the policy says
	From         string      // the domain in From
	EnvelopeFrom string
	Signatures   []DMARCAuth // each DKIM signature
	Senders      []DMARCAuth // SPF
}

// DMARCAuth is one check, whether aligned or not.
type DMARCAuth struct {
	Domain, Selector string
	Verdict          Verdict
}

// Passed says whether the row's messages passed DMARC.
func (r DMARCRow) Passed() bool { return r.DKIM == Pass || r.SPF == Pass }

// Count returns how many messages passed and how many did not.
func (r *DMARCReport) Count() (passed, failed int64) {
	for _, row := range r.Rows {
		if row.Passed() {
			passed += row.Count
		} else {
			failed += row.Count
		}
	}
	return passed, failed
}

// readDMARC reads the XML of a report. Namespaces and elements that it does not know are
// passed over, in the parts that are missing it has zeros.
func readDMARC(in io.Reader) (*DMARCReport, error) {
	r := &DMARCReport{}
	var row DMARCRow
	seen := false
	err := readXML(in, func(path, text string) error {
		seen = seen || strings.HasPrefix(path, "feedback")
		if rest, ok := strings.CutPrefix(path, "feedback/record"); ok {
			if rest != "" {
				return row.set(rest[1:], text)
			}
			if len(r.Rows) == maxRows {
				return fmt.Errorf("more than %d rows", maxRows)
			}
			r.Rows = append(r.Rows, row)
			row = DMARCRow{}
			return nil
		}
		return r.set(path, text)
	})
	if err != nil {
		return nil, err
	}
	if !seen {
		return nil, ErrNoReport
	}
	if r.Domain == "" {
		return nil, fmt.Errorf("it does not say of which domain")
	}
	return r, nil
}

func (r *DMARCReport) set(path, text string) error {
	switch path {
	case "feedback/report_metadata/org_name":
		r.Org = text
	case "feedback/report_metadata/email":
		r.Email = text
	case "feedback/report_metadata/report_id":
		r.ID = text
	case "feedback/report_metadata/date_range/begin":
		return setTime(&r.Begin, text)
	case "feedback/report_metadata/date_range/end":
		return setTime(&r.End, text)
	case "feedback/report_metadata/error":
		return add(&r.Errors, text)
	case "feedback/policy_published/domain":
		r.Domain = strings.ToLower(text)
	case "feedback/policy_published/p":
		r.Policy = Disposition(text)
	case "feedback/policy_published/sp":
		r.Subdomains = Disposition(text)
	}
	return nil
}

// set takes what stands in an element of a record.
func (r *DMARCRow) set(path, text string) (err error) {
	switch path {
	case "row/source_ip":
		if r.IP, err = netip.ParseAddr(text); err != nil {
			return fmt.Errorf("source_ip %q is no address", text)
		}
	case "row/count":
		if r.Count, err = strconv.ParseInt(text, 10, 64); err != nil || r.Count < 0 || r.Count > 1<<40 {
			return fmt.Errorf("count %q is no number", text)
		}
	case "row/policy_evaluated/disposition":
		r.Action = Disposition(text)
	case "row/policy_evaluated/dkim":
		r.DKIM = Verdict(text)
	case "row/policy_evaluated/spf":
		r.SPF = Verdict(text)
	case "row/policy_evaluated/reason/type":
		return add(&r.Reasons, text)
	case "identifiers/header_from":
		r.From = strings.ToLower(text)
	case "identifiers/envelope_from":
		r.EnvelopeFrom = strings.ToLower(text)
	default:
		return r.setAuth(path, text)
	}
	return nil
}

// setAuth takes what stands in auth_results. A check begins with its domain, which
// comes first (RFC 7489 appendix C).
func (r *DMARCRow) setAuth(path, text string) error {
	list := &r.Signatures
	field, ok := strings.CutPrefix(path, "auth_results/dkim/")
	if !ok {
		list = &r.Senders
		if field, ok = strings.CutPrefix(path, "auth_results/spf/"); !ok {
			return nil
		}
	}
	if field == "domain" {
		return add(list, DMARCAuth{Domain: strings.ToLower(text)})
	}
	if len(*list) == 0 {
		return nil
	}
	switch last := &(*list)[len(*list)-1]; field {
	case "selector":
		last.Selector = text
	case "result":
		last.Verdict = Verdict(strings.ToLower(text))
	}
	return nil
}

// maxList is how many elements of a kind one row, or the report's head, may hold.
const maxList = 100

func add[T any](list *[]T, one T) error {
	if len(*list) == maxList {
		return fmt.Errorf("more than %d elements of a kind", maxList)
	}
	*list = append(*list, one)
	return nil
}

func setTime(to *time.Time, text string) error {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 0 || n > 1<<40 {
		return fmt.Errorf("%q is no time", text)
	}
	*to = time.Unix(n, 0).UTC()
	return nil
}

// shown is how many senders a summary names.
const shown = 10

func (r *DMARCReport) summary(w io.Writer) {
	passed, failed := r.Count()
	fmt.Fprintf(w, "DMARC report of %s for %s, %s: ", visible(r.Org), visible(r.Domain), days(r.Begin, r.End))
	switch {
	case passed+failed == 0:
		fmt.Fprintln(w, "no messages.")
	case failed == 0:
		fmt.Fprintf(w, "%s, all passed.\n", counted(passed, "message", "messages"))
	default:
		fmt.Fprintf(w, "%s, %d passed, %d did not.\n", counted(passed+failed, "message", "messages"), passed, failed)
	}
	rows := slices.DeleteFunc(slices.Clone(r.Rows), DMARCRow.Passed)
	slices.SortStableFunc(rows, func(a, b DMARCRow) int { return cmp.Compare(b.Count, a.Count) })
	for i, row := range rows {
		if i == shown {
			fmt.Fprintf(w, "and %s more.\n", counted(int64(len(rows)-shown), "sender", "senders"))
			return
		}
		fmt.Fprintln(w, row.line())
	}
}

// line says of messages that did not pass who sent them and what was done.
func (r DMARCRow) line() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s from %s as %s", counted(r.Count, "message", "messages"), r.IP, visible(r.From))
	switch r.Action {
	case Reject:
		b.WriteString(", rejected")
	case Quarantine:
		b.WriteString(", put aside as junk")
	default:
		b.WriteString(", delivered")
	}
	for _, s := range r.Signatures {
		fmt.Fprintf(&b, "; DKIM of %s: %s", visible(s.Domain), visible(string(s.Verdict)))
	}
	if len(r.Signatures) == 0 {
		b.WriteString("; not signed")
	}
	for _, s := range r.Senders {
		fmt.Fprintf(&b, "; SPF of %s: %s", visible(s.Domain), visible(string(s.Verdict)))
	}
	for _, s := range r.Reasons {
		fmt.Fprintf(&b, "; because of %s", visible(s))
	}
	return b.String()
}
