// Package reports keeps what other servers report of the mail of our domains: the aggregate reports of
// DMARC (RFC 7489 §7.2) and those of TLS (RFC 8460). They come by mail to two addresses of
// each domain, which our DNS records name, and lie on the branch "reports", read and taken apart, as
// <yyyy-mm>/<kind>-<hash>.json.
//
// # Caveats
//
// Anybody can send a report. From says whose it was proved to be, "" when that is not known. After a
// year a month's reports are forgotten, and one month holds MostInMonth.
package reports

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"path"
	"strings"
	"time"

	"cairn/services/mail"
	"cairn/services/mail/auth"
	"cairn/store"
)

const (
	// Branch is the branch on which reports lie.
	Branch = "reports"
	// MostInMonth is how many reports are kept of one month.
	MostInMonth = 2000

	maxReport = 1 << 20 // bytes of one that is kept
	kept      = 12      // months, beside the current one
	monthForm = "2006-01"
)

// A Report is one that has come.
type Report struct {
	Received time.Time
	From     string // who has sent it, as far as that was proved
	auth.Report
}

// Reports takes reports; it is a mail.Sink. Safe for concurrent use.
type Reports struct {
	// Addresses are the local parts that reports are sent to.
	Addresses []string
	Now       func() time.Time
}

// Takes implements mail.Sink: the addresses are there in each of our domains.
func (r *Reports) Takes(_ context.Context, local, _ string) (bool, error) {
	for _, a := range r.Addresses {
		if a == local {
			return true, nil
		}
	}
	return false, nil
}

// Take implements mail.Sink.
func (r *Reports) Take(_ context.Context, p *mail.Plan, d *mail.Delivery) error {
	report, err := auth.ParseReport(d.Raw)
	if err != nil {
		text := "this address takes reports of DMARC and TLS only, and this message is not one"
		return &mail.Refusal{Code: 550, Enhanced: [3]int{5, 6, 0}, Text: text, Err: err}
	}
	now := r.Now().UTC()
	data, err := json.MarshalIndent(Report{Received: now.Truncate(time.Second), From: d.Author(), Report: *report}, "", "\t")
	if err != nil {
		return fmt.Errorf("write report: %w", err)
	}
	if len(data) > maxReport {
		return &mail.Refusal{Code: 552, Enhanced: [3]int{5, 3, 4}, Text: "the report is too large"}
	}
	kind := "dmarc"
	if report.TLS != nil {
		kind = "tls"
	}
	name := fmt.Sprintf("%s/%s-%x.json", now.Format(monthForm), kind, sha256.Sum256(d.Raw))
	p.Write(Branch, func(tx *store.Tx) error { return put(tx, now, name, append(data, '\n')) })
	return nil
}

// put keeps a report, once, and forgets what is old.
func put(tx *store.Tx, now time.Time, name string, data []byte) error {
	if _, err := tx.Lookup(name); !errors.Is(err, fs.ErrNotExist) {
		return err // it has come before
	}
	n := 0
	for _, err := range tx.Entries(path.Dir(name)) {
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		if n++; n > MostInMonth {
			return &mail.Refusal{Code: 452, Enhanced: [3]int{4, 2, 2}, Text: "there are too many reports already: try again next month"}
		}
	}
	oldest := now.AddDate(0, -kept, 1-now.Day()).Format(monthForm)
	var old []string
	for e, err := range tx.Entries(".") {
		if err != nil {
			return err
		}
		if e.Name < oldest {
			old = append(old, e.Name)
		}
	}
	for _, month := range old {
		if err := tx.Remove(month); err != nil {
			return err
		}
	}
	return tx.Put(name, data)
}

// List yields the reports on a branch, the newest month first. One that cannot be read, which
// nothing here writes, is an error beside the others.
func List(ctx context.Context, b *store.Branch) iter.Seq2[*Report, error] {
	return func(yield func(*Report, error) bool) {
		tree, err := b.Tree(ctx)
		if errors.Is(err, fs.ErrNotExist) {
			return
		}
		if err != nil {
			yield(nil, err)
			return
		}
		for _, name := range names(tree) {
			r, err := read(tree, name)
			if !yield(r, err) {
				return
			}
		}
	}
}

// names lists the reports' files, the newest month first.
func names(tree *store.Tree) []string {
	var all []string
	for month, err := range tree.Entries(".") {
		if err != nil {
			break
		}
		var those []string
		for e, err := range tree.Entries(month.Name) {
			if err == nil && strings.HasSuffix(e.Name, ".json") {
				those = append(those, month.Name+"/"+e.Name)
			}
		}
		all = append(those, all...)
	}
	return all
}

func read(tree *store.Tree, name string) (*Report, error) {
	data, _, err := tree.Blob(name)
	if err != nil {
		return nil, fmt.Errorf("report %s: %w", name, err)
	}
	r := new(Report)
	if err := json.Unmarshal(data, r); err != nil {
		return nil, fmt.Errorf("report %s: %w", name, err)
	}
	return r, nil
}
