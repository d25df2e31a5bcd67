// Package shelf keeps calendars and contacts: the collections of each person lie
// on the branch dav/<user>, as files that people may edit and push, and this
// package knows their layout, their properties and the rules that hold between
// them. It knows of no protocol.
//
//	calendars/<name>/<resource>.ics   calendars, and calendars/conflicts
//	contacts/<name>/<resource>.vcf    address books, and contacts/conflicts
//	inbox/<resource>.ics              scheduling messages (RFC 6638)
//	…/.props.toml                     properties of what it lies in
//	…/.props/<resource>.toml          dead properties of one resource
//	.locks.toml                       WebDAV locks
//
// A Shelf gives a Snapshot to read from, in which are Collections, in which are
// Resources. Update is the only way to write: its function gets an Edit for each
// person, which is a Snapshot that can be changed, and all it does is one commit
// on each branch, all of them or none.
//
//	err := s.Update(ctx, change, []string{"alice"}, func(edits map[string]*shelf.Edit) error {
//		_, err := edits["alice"].Put(shelf.Path{Kind: shelf.Calendars, Collection: "home", Name: "lunch.ics"}, lunch)
//		return err
//	})
//
// # Layout
//
// Resources are called as clients say, escaped where a file system could not hold
// it (FileName). A collection of more than 1,000 lies in up to 256 folders, by a
// hash of the names; the commit that crosses the limit moves the files there, and
// back where 500 are left. That is no change to anybody who synchronizes. Files that people put
// by hand at any depth are resources as well; one that lies where no client could have put
// it is shown as "~" and its path. Files whose names begin with a dot, symlinks,
// and files of other types are no resources and are left alone.
//
// A branch without a folder calendars (contacts) is shown with an empty
// calendar home (address book contacts), which the first change makes. Reading
// never writes.
//
// # What is remembered
//
// Listings, sums, UIDs and summaries of resources are computed from folders and files, kept by
// their hashes within Options.CacheBytes, and computed again when they are missing.
// After a change only the folder that has changed is looked at, and in it
// only the file that has. Nothing of it is stored.
//
// # Caveats
//
// What came onto the branch past Check (with stock git, on disk) is read as well
// as it can be: a file that cannot be parsed is listed and can be fetched, and has
// no UID; properties that cannot be read are none.
package shelf
