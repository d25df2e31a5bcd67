package auth

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"time"

	"cairn/services/mail/message"
)

// Bounds of a report, in bytes: as it is attached, and unpacked.
const (
	maxPacked   = 8 << 20
	maxUnpacked = 32 << 20
)

// ErrNoReport says that a message holds no report.
var ErrNoReport = errors.New("no DMARC or TLS report in this message")

// A Report is what another server says of the mail of one of our domains: one of the
// two is there. Whoever sends it may say anything in it: believe it as far as its
// sender (RFC 7489 §7.2.1.1, RFC 8460 §5.3).
type Report struct {
	DMARC *DMARCReport
	TLS   *TLSReport
}

// ParseReport finds and reads the report in a message: a DMARC aggregate report (RFC 7489
// appendix C, RFC 9990) or a TLS report (RFC 8460), as it is, with gzip, or in a zip file.
// It needs memory in proportion to what is in the report, and a bounded amount of that. The error
// is ErrNoReport if there is nothing that looks like one.
func ParseReport(raw []byte) (*Report, error) {
	for p := range message.Parts(raw) {
		if !p.Leaf || !mayBeReport(p.Type, p.Filename) {
			continue
		}
		data := p.Decoded(maxPacked + 1)
		if len(data) > maxPacked {
			return nil, fmt.Errorf("report: more than %d bytes", maxPacked)
		}
		if r, err := readReport(data); !errors.Is(err, ErrNoReport) {
			return r, err
		}
	}
	return nil, ErrNoReport
}

// mayBeReport says whether a part is to be looked into, by what it says of itself.
func mayBeReport(kind, file string) bool {
	switch kind {
	case "application/gzip", "application/x-gzip", "application/zip", "application/x-zip-compressed", "application/x-zip",
		"application/xml", "text/xml", "application/json", "application/tlsrpt+json", "application/tlsrpt+gzip":
		return true
	case "application/octet-stream", "text/plain":
		file = strings.ToLower(file)
		for _, end := range []string{".gz", ".zip", ".xml", ".json"} {
			if strings.HasSuffix(file, end) {
				return true
			}
		}
	}
	return false
}

// readReport reads a report by what it begins with.
func readReport(data []byte) (*Report, error) {
	unpacked, err := unpack(data)
	if err != nil {
		return nil, err
	}
	defer unpacked.Close()
	first, err := unpacked.first()
	switch {
	case err != nil:
		return nil, fmt.Errorf("report: %w", err)
	case first == '<':
		r, err := readDMARC(unpacked)
		if err != nil {
			return nil, fmt.Errorf("DMARC report: %w", err)
		}
		return &Report{DMARC: r}, nil
	case first == '{':
		r, err := readTLS(unpacked)
		if err != nil {
			return nil, fmt.Errorf("TLS report: %w", err)
		}
		return &Report{TLS: r}, nil
	}
	return nil, ErrNoReport
}

// Summary is the report in some lines for people.
func (r *Report) Summary() string {
	var b bytes.Buffer
	if r.DMARC != nil {
		r.DMARC.summary(&b)
	} else {
		r.TLS.summary(&b)
	}
	return b.String()
}

// days writes the days of a report.
func days(begin, end time.Time) string {
	from, to := begin.UTC().Format(time.DateOnly), end.UTC().Add(-time.Second).Format(time.DateOnly)
	if from == to || end.IsZero() {
		return from
	}
	return from + " to " + to
}

func counted(n int64, one, more string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, more)
}
