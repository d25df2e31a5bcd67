package vcard

import "strings"

// An Index is what a listing needs to know of a card.
type Index struct {
	Version  string
	UID      string
	FN       string // as Name returns it
	Kind     string // "individual", "group", "org", "location" or another, in lower case
	Birthday Date   // zero when there is none that can be understood
}

// Index summarises the card.
func (c *Card) Index() Index {
	return Index{Version: c.Version, UID: c.UID(), FN: c.Name(), Kind: c.Kind(), Birthday: c.Birthday()}
}

// Kind returns what the card is of, in lower case: KIND (RFC 6350 §6.1.4), or what
// Apple's address books have in its place in 3.0. Without either it is
// "individual".
func (c *Card) Kind() string {
	for _, name := range []string{"KIND", "X-ADDRESSBOOKSERVER-KIND"} {
		if kind := strings.ToLower(c.text(name)); kind != "" {
			return kind
		}
	}
	if strings.EqualFold(c.text("X-ABSHOWAS"), "company") {
		return "org"
	}
	return "individual"
}

// Birthday returns the day of BDAY; zero when there is none, or none that can be
// understood.
func (c *Card) Birthday() Date {
	if l := c.preferred("BDAY"); l != nil {
		if m, ok := parseMoment(l); ok {
			return m.Date
		}
	}
	return Date{}
}
