package dav

// Name is the name of an element, a property or a precondition: a namespace and a local name.
type Name struct{ Space, Local string }

// The namespaces that clients speak.
const (
	spaceDAV      = "DAV:"
	spaceCalDAV   = "urn:ietf:params:xml:ns:caldav"
	spaceCardDAV  = "urn:ietf:params:xml:ns:carddav"
	spaceServer   = "http://calendarserver.org/ns/"
	spaceApple    = "http://apple.com/ns/ical/"
	spacePush     = "https://bitfire.at/webdav-push"
	spaceXML      = "http://www.w3.org/XML/1998/namespace"
	spaceXMLNS    = "http://www.w3.org/2000/xmlns/"
	declareSpaces = ` xmlns:d="DAV:" xmlns:cal="urn:ietf:params:xml:ns:caldav" xmlns:card="urn:ietf:params:xml:ns:carddav"` +
		` xmlns:cs="http://calendarserver.org/ns/" xmlns:ic="http://apple.com/ns/ical/" xmlns:push="https://bitfire.at/webdav-push"`
)

// prefix returns what declareSpaces calls a namespace, with its colon, or "" for one that it does not declare.
func prefix(space string) string {
	switch space {
	case spaceDAV:
		return "d:"
	case spaceCalDAV:
		return "cal:"
	case spaceCardDAV:
		return "card:"
	case spaceServer:
		return "cs:"
	case spaceApple:
		return "ic:"
	case spacePush:
		return "push:"
	}
	return ""
}

// D returns a name of WebDAV.
func D(local string) Name { return Name{Space: spaceDAV, Local: local} }

// Cal returns a name of CalDAV.
func Cal(local string) Name { return Name{Space: spaceCalDAV, Local: local} }

// Card returns a name of CardDAV.
func Card(local string) Name { return Name{Space: spaceCardDAV, Local: local} }

// CS returns a name of Apple's calendar server, which other servers and clients took up.
func CS(local string) Name { return Name{Space: spaceServer, Local: local} }

// Apple returns a name of Apple's calendar program: calendar-color and calendar-order.
func Apple(local string) Name { return Name{Space: spaceApple, Local: local} }

// Push returns a name of WebDAV-Push.
func Push(local string) Name { return Name{Space: spacePush, Local: local} }

// Names that are on the path of every listing, so that they are made once.
var (
	GetETag        = D("getetag")
	GetContentType = D("getcontenttype")
	GetLength      = D("getcontentlength")
	GetModified    = D("getlastmodified")
	DisplayName    = D("displayname")
	ResourceType   = D("resourcetype")
	Collection     = D("collection")
	CalendarData   = Cal("calendar-data")
	AddressData    = Card("address-data")

	nameHref = D("href")
	nameProp = D("prop")
)
