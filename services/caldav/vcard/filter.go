package vcard

// A Filter selects cards (RFC 6352 §10.5). The zero Filter, and one without
// conditions, selects every card.
type Filter struct {
	All   bool // test="allof": every condition has to hold; else one of them
	Props []PropFilter
}

// A PropFilter is a condition on the properties of one name (RFC 6352 §10.5.1).
// Without NotDefined, Texts and Params it asks that there is one. Otherwise there
// has to be a property for which the Texts and Params hold.
type PropFilter struct {
	// Name is the property's, in any case. With a group, such as "item1.TEL", only
	// properties of that group are meant; without, those of any group and of none.
	Name       string
	NotDefined bool // there is no such property; Texts and Params are not looked at
	All        bool // test="allof": all of Texts and Params have to hold; else one of them
	Texts      []TextMatch
	Params     []ParamFilter
}

// A ParamFilter is a condition on a property's parameter (RFC 6352 §10.5.2).
// Without NotDefined and Text it asks that the parameter is there.
type ParamFilter struct {
	Name       string // in any case
	NotDefined bool
	Text       *TextMatch // holds for one of the parameter's values
}

// A TextMatch compares a value with a text (RFC 6352 §10.5.4).
type TextMatch struct {
	Text      string
	Collation string // RFC 4790; empty is the default, i;unicode-casemap
	Negate    bool
	Type      MatchType
}

// A MatchType says which part of a value a text has to be.
type MatchType uint8

const (
	Contains MatchType = iota // the default
	Equals
	StartsWith
	EndsWith
)

// Match reports whether the filter selects the card.
func (f *Filter) Match(c *Card) bool { return false }
