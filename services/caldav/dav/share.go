package dav

import (
	"io"
	"net/http"
)

// Access is what a sharee may do with a shared collection.
type Access int

const (
	AccessNone Access = iota // no longer shared with them
	AccessRead
	AccessWrite
)

// Sharee is a person with whom a collection is to be shared, or no longer.
type Sharee struct {
	Href    string // mailto:… or the URL of a principal
	Name    string // what the sharer calls them; may be empty
	Comment string
	Access  Access
}

// Reply is a sharee's answer to an invitation (CS:invite-reply).
type Reply struct {
	Href      string // the sharee
	Accepted  bool
	Host      string // URL of the shared collection
	InReplyTo string
}

// Post is the body of a POST to a collection. Exactly one field is set.
type Post struct {
	Sharees []Sharee
	Reply   *Reply
	Push    *PushRegister
}

// ReadPost reads the body of a POST to a collection: about sharing, in either dialect, which is CS:share and
// CS:invite-reply (Apple's caldav-sharing) or DAV:share-resource (draft-pot-webdav-resource-sharing); or about being
// told of changes (push-register of WebDAV-Push).
func ReadPost(body io.Reader) (*Post, error) {
	root, err := parse(body, plain)
	if err != nil {
		return nil, err
	}
	if root == nil {
		return nil, Errorf(http.StatusBadRequest, "the POST has no body")
	}
	s := &Post{}
	switch root.Name {
	case CS("share"):
		s.Sharees = appleSharees(root)
	case D("share-resource"):
		s.Sharees, err = draftSharees(root)
	case CS("invite-reply"):
		s.Reply = &Reply{
			Href:      root.Child(nameHref).Word(),
			Accepted:  root.Child(CS("invite-accepted")) != nil,
			Host:      root.Child(CS("hosturl")).Child(nameHref).Word(),
			InReplyTo: root.Child(CS("in-reply-to")).Word(),
		}
		return s, nil
	case Push("push-register"):
		s.Push, err = pushRegister(root)
		return s, err
	default:
		return nil, Errorf(http.StatusBadRequest, "%.80q cannot be posted here", root.Name.Local)
	}
	if err != nil {
		return nil, err
	}
	if len(s.Sharees) == 0 {
		return nil, Errorf(http.StatusBadRequest, "%s names nobody", root.Name.Local)
	}
	for _, p := range s.Sharees {
		if p.Href == "" {
			return nil, Errorf(http.StatusBadRequest, "%s has a sharee without an address", root.Name.Local)
		}
	}
	return s, nil
}

func appleSharees(root *Element) []Sharee {
	var list []Sharee
	for e := range root.Elements() {
		p := Sharee{
			Href:    e.Child(nameHref).Word(),
			Name:    e.Child(CS("common-name")).Word(),
			Comment: e.Child(CS("summary")).Word(),
		}
		switch {
		case e.Name == CS("remove"):
		case e.Name != CS("set"):
			continue
		case e.Child(CS("read-write")) != nil:
			p.Access = AccessWrite
		default:
			p.Access = AccessRead
		}
		list = append(list, p)
	}
	return list
}

func draftSharees(root *Element) ([]Sharee, error) {
	var list []Sharee
	for e := range root.All(D("sharee")) {
		p := Sharee{
			Href:    e.Child(nameHref).Word(),
			Name:    e.Child(nameProp).Child(DisplayName).Word(),
			Comment: e.Child(D("comment")).Word(),
		}
		access := e.Child(D("share-access"))
		switch {
		case access.Child(D("read-write")) != nil:
			p.Access = AccessWrite
		case access.Child(D("read")) != nil:
			p.Access = AccessRead
		case access.Child(D("no-access")) == nil:
			return nil, Errorf(http.StatusBadRequest, "share-access is read, read-write or no-access")
		}
		list = append(list, p)
	}
	return list, nil
}
