package self

import (
	"context"
	"time"

	"cairn/services/accounts"
)

// Collections are the calendars and address books that people manage on their
// page. cmd fills it from the shelf that they lie on; nil when nothing of the
// kind is served. The acting user u is the owner: the methods reach nothing that
// belongs to somebody else. They name a collection by its ID. Absent is
// fs.ErrNotExist, taken fs.ErrExist; an error that is a *Refusal is shown to the
// person, any other is logged.
type Collections interface {
	// Own lists u's calendars and then u's address books, each in u's order.
	Own(ctx context.Context, u *accounts.User) ([]Collection, error)
	// Shared lists what others share with u.
	Shared(ctx context.Context, u *accounts.User) ([]Collection, error)

	Make(ctx context.Context, u *accounts.User, c New) error
	Set(ctx context.Context, u *accounts.User, id string, s Settings) error
	// Delete removes a collection with all that is in it. Changes shows it as
	// one change, which Undo takes back.
	Delete(ctx context.Context, u *accounts.User, id string) error

	// Share lets with, another user's name, read or write the collection;
	// NoAccess takes that away again.
	Share(ctx context.Context, u *accounts.User, id, with string, a Access) error

	// Publish switches the public page and the public feed of a calendar.
	Publish(ctx context.Context, u *accounts.User, id string, on bool) error
	// Link switches the secret feed of a calendar on, with a new address also
	// when it is on already, or off, which makes the old address worthless.
	Link(ctx context.Context, u *accounts.User, id string, on bool) error

	// Changes lists at most n of the last changes of u's calendars and
	// contacts, the newest first.
	Changes(ctx context.Context, u *accounts.User, n int) ([]Change, error)
	// Undo takes a change back, in a new change, and keeps what was done since.
	// What was changed since in the same place is a *Refusal.
	Undo(ctx context.Context, u *accounts.User, change string) error
}

// A Kind is what a collection holds.
type Kind string

const (
	Calendar    Kind = "calendar"
	AddressBook Kind = "addressbook"
)

// An Access is what somebody may do with a collection.
type Access string

const (
	NoAccess  Access = ""
	ReadOnly  Access = "read"
	ReadWrite Access = "write"
)

// Settings are what the owner says about a collection.
type Settings struct {
	Name   string // as people see it; not empty
	Colour string // "#rrggbb", or empty
}

// New is what there is to say about a collection that is made.
type New struct {
	Kind Kind
	Settings
	Source    string // of a calendar: the address of one elsewhere that it follows
	Birthdays bool   // of a calendar: it shows the birthdays of the owner's contacts
}

// A Collection is a calendar or an address book.
type Collection struct {
	ID    string // "calendars/home": a path below the owner, the same as long as it lives
	Kind  Kind
	Owner string // user name
	Settings
	Items  int     // events and tasks, or contacts
	Shares []Share // in the order of their names
	Access Access  // of the acting user; ReadWrite for the owner

	Source    string // the address of a calendar elsewhere that it follows
	Trouble   string // why that cannot be fetched now, in words; empty: it can
	Birthdays bool   // it shows the birthdays of the owner's contacts

	// Paths of what is public, from the root of the service; empty when off.
	Page string // "/public/alice/home/"
	Feed string // the same as a file to subscribe to
	Link string // the secret feed: whoever knows it can read
}

// A Share says that another user may use a collection.
type Share struct {
	With   string // user name
	Access Access
}

// A Change is one commit on a person's branch, in words.
type Change struct {
	ID   string // the commit
	When time.Time
	Who  string // the author's name; empty when it was the person
	What string // "Moved “Dentist” in Home"
	Undo bool   // there is something to take back
}

// A Refusal is an error that the person is told in its own words.
type Refusal struct {
	Text string // a sentence
}

func (e *Refusal) Error() string { return e.Text }
