package sieve

// A signature says what a command or a test takes, and what it is.
type signature struct {
	needs   string // the capability that it belongs to, or several of which one is enough; "" for the language itself
	options string // groups of options
	// args are the arguments that have to be there, in their order. When first is not none it
	// may stand before them.
	first kind
	args  []kind
	tests int // how many; -1: one or more

	statement func(*builder, *call) (statement, error)
	test      func(*builder, *call) (test, error)
}

// A call is a node whose arguments are known to be those that it takes.
type call struct {
	*node
	b       *builder
	options map[string]option // those given, by their groups
	first   *argument
	args    []argument
	tests   []test
}

// An option is a tag that was given.
type option struct {
	name  string // without the colon
	at    int
	value argument // of kind none where the tag takes none
}

// A tagged is what is known of a tag.
type tagged struct {
	group string // of which there may be one
	needs string
	takes kind
}

var tags = map[string]tagged{
	":comparator": {"comparator", "", text},
	":is":         {"match", "", none}, ":contains": {"match", "", none}, ":matches": {"match", "", none},
	":count": {"match", "relational", text}, ":value": {"match", "relational", text},
	":all": {"part", "", none}, ":localpart": {"part", "", none}, ":domain": {"part", "", none},
	":user": {"part", "subaddress", none}, ":detail": {"part", "subaddress", none},
	":index": {"index", "index", number}, ":last": {"last", "index", none},
	":over": {"size", "", none}, ":under": {"size", "", none},
	":raw": {"body", "", none}, ":text": {"body", "", none}, ":content": {"body", "", texts},
	":zone": {"zone", "", text}, ":originalzone": {"zone", "", none},

	":copy": {"copy", "copy", none}, ":create": {"create", "mailbox", none},
	":flags": {"flags", "imap4flags", texts}, ":specialuse": {"specialuse", "special-use", text},

	":lower": {"case", "", none}, ":upper": {"case", "", none},
	":lowerfirst": {"initial", "", none}, ":upperfirst": {"initial", "", none},
	":quotewildcard": {"quote", "", none}, ":length": {"length", "", none},

	":days": {"every", "", number}, ":seconds": {"every", "vacation-seconds", number},
	":subject": {"subject", "", text}, ":from": {"from", "", text}, ":addresses": {"addresses", "", texts},
	":mime": {"mime", "", none}, ":handle": {"handle", "", text},
}
