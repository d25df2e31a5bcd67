package shelf

import (
	"maps"
	"reflect"
	"time"
)

// Props are the properties of a collection, or of a home or the folder of a kind, where only
// Dead, Default and Looks mean something. Those that are handed out are shared: Clone before
// changing.
type Props struct {
	DisplayName string `toml:"name,omitempty"`
	Description string `toml:"description,omitempty"`
	Color       string `toml:"color,omitempty"` // as the client wrote it, such as #rrggbb or #rrggbbaa
	Order       string `toml:"order,omitempty"` // among the person's collections: a number

	Timezone    string   `toml:"timezone,omitempty"`    // a VCALENDAR with one VTIMEZONE, for floating times
	TimezoneID  string   `toml:"timezone_id,omitempty"` // a name of the tz database, RFC 7809
	Components  []string `toml:"components,omitempty"`  // VEVENT, …; empty: all
	Transparent bool     `toml:"transparent,omitempty"` // not busy, RFC 6638 §9.1

	// Shares says who else may read ("read") or also write ("read-write") it.
	Shares map[string]Access `toml:"shares,omitempty"`

	Public bool   `toml:"public,omitempty"` // everybody may read it
	Nonce  string `toml:"link,omitempty"`   // of its secret link; empty: there is none

	// Birthdays makes the calendar one of the birthdays of the person's contacts.
	Birthdays bool `toml:"birthdays,omitempty"`

	// Source is where the calendar comes from that it follows. It is read-only then.
	Source *Source `toml:"source,omitempty"`

	// Default is, in the Inbox, the calendar into which invitations go.
	Default string `toml:"default,omitempty"`

	// Looks says, in the folder of a kind, how collections that others share with the
	// person look to them: by owner and name, as "alice/home".
	Looks map[string]Look `toml:"looks,omitempty"`

	Dead []Dead `toml:"dead,omitempty"`
}

// Access is what a share allows.
type Access string

// What a share allows.
const (
	NoAccess  Access = ""
	Read      Access = "read"
	ReadWrite Access = "read-write"
)

// A Look is what somebody has made of another person's collection, for themselves.
// What is empty is as the owner has it.
type Look struct {
	DisplayName string `toml:"name,omitempty"`
	Color       string `toml:"color,omitempty"`
	Order       string `toml:"order,omitempty"`
}

// A Source is an outside calendar, as it was when it was last fetched.
type Source struct {
	URL      string    `toml:"url"`
	ETag     string    `toml:"etag,omitempty"`
	Modified string    `toml:"modified,omitempty"` // Last-Modified, as the other side says it
	Changed  time.Time `toml:"changed,omitempty"`  // when what was fetched was new
	Error    string    `toml:"error,omitempty"`    // why it cannot be fetched; empty: it can
	Since    time.Time `toml:"since,omitempty"`    // since when there is that error
}

// Dead is a property that is kept as it is: its XML is the whole element.
type Dead struct {
	Space string `toml:"space"`
	Name  string `toml:"name"`
	XML   string `toml:"xml"`
}

// Clone returns a copy to change. Of nil it is a new one.
func (p *Props) Clone() *Props {
	if p == nil {
		return &Props{}
	}
	n := *p
	n.Components = append([]string(nil), p.Components...)
	n.Dead = append([]Dead(nil), p.Dead...)
	if n.Shares = nil; len(p.Shares) > 0 {
		n.Shares = maps.Clone(p.Shares)
	}
	if n.Looks = nil; len(p.Looks) > 0 {
		n.Looks = maps.Clone(p.Looks)
	}
	if p.Source != nil {
		source := *p.Source
		n.Source = &source
	}
	return &n
}

// copied returns what a copy of the collection has.
func (p *Props) copied() *Props {
	n := p.Clone()
	n.Shares, n.Public, n.Nonce, n.Source, n.Birthdays = nil, false, "", nil, false
	return n
}

// Equal says that two have the same properties.
func (p *Props) Equal(q *Props) bool { return reflect.DeepEqual(p.Clone(), q.Clone()) }
