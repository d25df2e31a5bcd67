package caldav

import (
	"cairn/services/caldav/dav"
	"cairn/services/caldav/shelf"
)

// etag is the entity tag of an object or file, with its quotes.
func (n *node) etag() string {
	if n.kind == file {
		return hashTag(n.entry.Hash)
	}
	return hashTag(n.res.ETag)
}

// size is how many bytes GET returns.
func (n *node) size() (int64, error) {
	if n.kind == file {
		return n.in.blobs.BlobSize(n.entry.Hash)
	}
	return n.res.Size, nil
}

// contentType is what GET says of the bytes.
func (n *node) contentType() string {
	switch n.kind {
	case file:
		return typeByName(n.names[len(n.names)-1])
	case card:
		return "text/vcard; charset=utf-8"
	}
	t := "text/calendar; charset=utf-8"
	if x, err := n.col.Event(n.res); err == nil && x != nil && x.Kind != "" {
		t += "; component=" + x.Kind
	}
	return t
}

// resourceType is the content of DAV:resourcetype.
func (n *node) resourceType() string {
	return typesXML[n.kind]
}

// typesXML are those by kind.
var typesXML = func() (list [file + 1]string) {
	besides := map[kind][]dav.Name{
		principal:   {dav.D("principal")},
		calendar:    {dav.Cal("calendar")},
		addressbook: {dav.Card("addressbook")},
		inbox:       {dav.Cal("schedule-inbox")},
		outbox:      {dav.Cal("schedule-outbox")},
	}
	for k := range file + 1 {
		list[k] = dav.Build(func(b *dav.Builder) {
			if collections.has(k) {
				b.Empty(dav.Collection)
			}
			for _, name := range besides[k] {
				b.Empty(name)
			}
		})
	}
	return list
}()

// deadProps are what clients have kept with a resource.
func (n *node) deadProps() []dav.Prop {
	var list []shelf.Dead
	switch {
	case n.in == nil || n.kind == outbox:
	case n.kind == principal:
		list = n.in.Props("").Dead
	case n.kind == calendarHome || n.kind == contactHome:
		list = n.in.Props(shelf.Kind(n.space)).Dead
	case n.kind == folder || n.kind == file:
		list = n.fileDead()
	case n.bare:
	case objects.has(n.kind):
		list, _ = n.col.ResourceProps(n.res)
	default:
		list = n.col.Props().Dead
	}
	props := make([]dav.Prop, 0, len(list))
	for _, d := range list {
		name := dav.Name{Space: d.Space, Local: d.Name}
		if liveOn(name, n.kind) == nil && !protected[name] { // somebody has pushed what we say ourselves
			props = append(props, dav.Prop{Name: name, XML: d.XML})
		}
	}
	return props
}

// sharees are those with whom a collection is shared.
func (n *node) sharees() []string {
	if n.col == nil || n.path.Kind == shelf.Inbox {
		return nil
	}
	return n.col.Props().Users()
}
