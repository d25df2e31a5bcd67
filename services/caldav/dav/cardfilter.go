package dav

import (
	"cairn/services/caldav/line"
	"cairn/services/caldav/vcard"
)

// addressbookFilter reads CARDDAV:filter (RFC 6352 §10.5).
func addressbookFilter(e *Element) (*vcard.Filter, error) {
	r := newFilterReader(Card)
	all, err := r.test(e)
	if err != nil {
		return nil, err
	}
	f := &vcard.Filter{All: all}
	for c := range e.All(Card("prop-filter")) {
		p, err := r.cardProp(c)
		if err != nil {
			return nil, err
		}
		f.Props = append(f.Props, p)
	}
	return f, nil
}

// test reads the attribute that says whether one condition is enough.
func (r *filterReader) test(e *Element) (all bool, err error) {
	switch e.Attr("test") {
	case "", "anyof":
		return false, nil
	case "allof":
		return true, nil
	}
	return false, r.invalid("test is anyof or allof")
}

func (r *filterReader) cardProp(e *Element) (f vcard.PropFilter, err error) {
	if f.Name, err = r.begin(e, "is-not-defined text-match param-filter"); err != nil {
		return f, err
	}
	if f.All, err = r.test(e); err != nil {
		return f, err
	}
	f.NotDefined = e.Child(Card("is-not-defined")) != nil
	for c := range e.All(Card("text-match")) {
		t, err := r.cardText(c)
		if err != nil {
			return f, err
		}
		f.Texts = append(f.Texts, t)
	}
	for c := range e.All(Card("param-filter")) {
		p, err := r.cardParam(c)
		if err != nil {
			return f, err
		}
		f.Params = append(f.Params, p)
	}
	return f, nil
}

func (r *filterReader) cardParam(e *Element) (f vcard.ParamFilter, err error) {
	if f.Name, err = r.begin(e, "is-not-defined text-match"); err != nil {
		return f, err
	}
	f.NotDefined = e.Child(Card("is-not-defined")) != nil
	if m := e.Child(Card("text-match")); m != nil {
		t, err := r.cardText(m)
		if err != nil {
			return f, err
		}
		f.Text = &t
	}
	return f, nil
}

// cardText reads CARDDAV:text-match (RFC 6352 §10.5.4).
func (r *filterReader) cardText(e *Element) (m line.TextMatch, err error) {
	if err := r.count(); err != nil {
		return m, err
	}
	m.Text = e.Text()
	if m.Collation, err = r.collation(e, line.UnicodeCasemap); err != nil {
		return m, err
	}
	if m.Negate, err = r.negate(e); err != nil {
		return m, err
	}
	var ok bool
	if m.Type, ok = matchTypes[e.Attr("match-type")]; !ok {
		return m, r.invalid("match-type %.40q is not known", e.Attr("match-type"))
	}
	return m, nil
}

var matchTypes = map[string]line.MatchType{
	"": line.Contains, "contains": line.Contains, "equals": line.Equals,
	"starts-with": line.StartsWith, "ends-with": line.EndsWith,
}
