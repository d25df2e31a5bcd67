package queue

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"time"

	"golang.org/x/net/idna"

	"cairn/services/mail/queue/client"
)

// Bounds of an entry: its recipients, which are those of one transaction (RFC 5321 §4.5.3.1.8 has
// every server take 100), and its bytes.
const (
	maxRecipients = 100
	maxEntry      = 1 << 20
	maxEnvID      = 100 // bytes (RFC 3461 §4.4)
	maxOriginal   = 700 // bytes (RFC 3461 §4.2 has 500, encoded)
)

// An entry is what waits to be sent to one domain: the envelope of a message for up to 100 of its
// recipients there, and how far it has come.
type entry struct {
	From       string    `json:"from"`
	EnvID      string    `json:"envid,omitempty"`
	Full       bool      `json:"full,omitempty"`
	UTF8       bool      `json:"utf8,omitempty"` // SMTPUTF8 is needed
	RequireTLS bool      `json:"requiretls,omitempty"`
	EightBit   bool      `json:"eightbit,omitempty"`
	Binary     bool      `json:"binary,omitempty"` // it cannot go over the wire in lines
	Size       int64     `json:"size"`
	Queued     time.Time `json:"queued"`

	Domain string    `json:"domain"` // in A-labels and lower case, or a literal in brackets
	To     []Waiting `json:"to"`

	Attempts int       `json:"attempts,omitempty"`
	Next     time.Time `json:"next"`
	Warned   bool      `json:"warned,omitempty"` // the sender has heard of the delay
	Held     bool      `json:"held,omitempty"`
}

// encode returns the entry as bytes.
func (e *entry) encode() ([]byte, error) { return json.Marshal(e) }

// parseEntry reads what encode has made. It takes nothing that could not be sent.
func parseEntry(data []byte) (*entry, error) {
	if len(data) > maxEntry {
		return nil, errors.New("entry is larger than 1 MiB")
	}
	var e entry
	if err := json.Unmarshal(data, &e); err != nil {
		return nil, fmt.Errorf("entry: %w", err)
	}
	if err := e.check(); err != nil {
		return nil, fmt.Errorf("entry: %w", err)
	}
	return &e, nil
}

func (e *entry) check() error {
	switch {
	case len(e.To) == 0 || len(e.To) > maxRecipients:
		return fmt.Errorf("%d recipients", len(e.To))
	case !validEnvID(e.EnvID):
		return fmt.Errorf("envelope ID %.120q", e.EnvID)
	case e.Size < 0 || e.Attempts < 0:
		return errors.New("negative numbers")
	}
	if e.From != "" {
		if err := client.CheckAddress(e.From); err != nil {
			return err
		}
	}
	for _, to := range e.To {
		domain, err := domainOf(to.Address)
		switch {
		case err != nil:
			return err
		case domain != e.Domain:
			return fmt.Errorf("%q is not of the domain %q", to.Address, e.Domain)
		case to.Notify&Never != 0 && to.Notify != Never || to.Notify >= Delay<<1:
			return fmt.Errorf("notify %d", to.Notify)
		case client.Printable(to.Original, maxOriginal) != to.Original:
			return fmt.Errorf("original recipient %.120q", to.Original)
		}
	}
	return nil
}

func validEnvID(id string) bool {
	return len(id) <= maxEnvID && !strings.ContainsFunc(id, func(r rune) bool { return r < ' ' || r > '~' })
}

// domainOf returns where an address belongs: its domain in A-labels and lower case, or a
// literal as it is.
func domainOf(address string) (string, error) {
	if err := client.CheckAddress(address); err != nil {
		return "", err
	}
	domain := address[strings.LastIndexByte(address, '@')+1:]
	if strings.HasPrefix(domain, "[") {
		return strings.ToLower(domain), nil
	}
	name, err := idna.Lookup.ToASCII(strings.TrimSuffix(domain, "."))
	if err != nil || name == "" {
		// Lookup is strict about what an internationalized name may be; old names have an
		// underscore or a hyphen where it has none.
		name = strings.ToLower(strings.TrimSuffix(domain, "."))
	}
	if !hostname(name) {
		return "", fmt.Errorf("%q is not a domain: %w", domain, fs.ErrInvalid)
	}
	return name, nil
}

// hostname reports whether s can be asked of the DNS (RFC 1035 §2.3.4).
func hostname(s string) bool {
	if len(s) > 253 {
		return false
	}
	for label := range strings.SplitSeq(s, ".") {
		if label == "" || len(label) > 63 || strings.ContainsFunc(label, func(r rune) bool {
			return r != '-' && r != '_' && (r < '0' || r > '9') && (r < 'a' || r > 'z')
		}) {
			return false
		}
	}
	return true
}
