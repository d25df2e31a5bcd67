// Package dav is the wire format of WebDAV and of what is built on it: RFC 4918
// (WebDAV), 3253 §3.8 (expand-property), 3744 (access control), 4331 (quota), 4791 (CalDAV), 5397
// (current-user-principal), 5689 (extended MKCOL), 6352 (CardDAV), 6578 (sync), 6638 (scheduling), 8144 (Prefer), and
// the two dialects in which clients share calendars, and WebDAV-Push. It knows of no storage and serves nothing: bodies and
// headers come in and become small structs; structs go out as XML.
//
// In: the Read functions (ReadPropfind, ReadReport, …) take the body of one request. They are bounded in bytes, depth,
// elements and attributes, refuse document types, entities and processing instructions, and return *Error with the
// status to answer. Element is the tree behind them, Prop a property that is kept without being understood.
//
// Out: Multistatus streams responses as they are found, Builder makes what is inside of a property, Error.Write
// answers with the precondition that a request missed.
//
//	m := dav.NewMultistatus(w)
//	for res := range resources {
//		r := m.Response(res.Href)
//		r.Text(dav.GetETag, `"`+res.ETag+`"`)
//		r.Missing(dav.D("displayname"))
//		r.Done()
//	}
//	return m.Close()
//
// Headers: ParseIf, ParseDepth, ParseDestination, ParseOverwrite, ParseTimeout, ParseLockToken, ParsePrefer.
package dav
