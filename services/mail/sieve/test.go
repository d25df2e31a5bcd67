package sieve

// tests are what may stand behind if.
var tests = map[string]signature{
	"true":   {test: constantly(true)},
	"false":  {test: constantly(false)},
	"not":    {tests: 1, test: buildNot},
	"allof":  {tests: -1, test: buildOf},
	"anyof":  {tests: -1, test: buildOf},
	"exists": {args: []kind{texts}, test: buildExists},
	"size":   {options: "size", args: []kind{number}, test: buildSize},

	"header":   {options: "comparator match index last", args: []kind{texts, texts}, test: buildHeader},
	"address":  {options: "comparator match part index last", args: []kind{texts, texts}, test: buildAddress},
	"envelope": {needs: "envelope", options: "comparator match part", args: []kind{texts, texts}, test: buildEnvelope},
	"body":     {needs: "body", options: "comparator match body", args: []kind{texts}, test: buildBody},

	"date":        {needs: "date", options: "comparator match zone index last", args: []kind{text, text, texts}, test: buildDate},
	"currentdate": {needs: "date", options: "comparator match zone", args: []kind{text, texts}, test: buildDate},

	"string":            {needs: "variables", options: "comparator match", args: []kind{texts, texts}, test: buildString},
	"hasflag":           {needs: "imap4flags", options: "comparator match", first: texts, args: []kind{texts}, test: buildHasFlag},
	"mailboxexists":     {needs: "mailbox", args: []kind{texts}, test: buildMailboxExists},
	"specialuse_exists": {needs: "special-use", first: text, args: []kind{texts}, test: buildUseExists},
}

func constantly(holds bool) func(*builder, *call) (test, error) {
	return func(*builder, *call) (test, error) {
		return func(*run) (bool, error) { return holds, nil }, nil
	}
}

func buildNot(_ *builder, c *call) (test, error) {
	return func(r *run) (bool, error) {
		holds, err := c.tests[0](r)
		return !holds, err
	}, nil
}

// buildOf reads allof and anyof. Tests behind the one that decides are not made.
func buildOf(_ *builder, c *call) (test, error) {
	all := c.name == "allof"
	return func(r *run) (bool, error) {
		for _, t := range c.tests {
			if err := r.spend(c.at, 1); err != nil {
				return false, err
			}
			if holds, err := t(r); err != nil || holds != all {
				return holds, err
			}
		}
		return all, nil
	}, nil
}

func buildSize(b *builder, c *call) (test, error) {
	over := c.given("size") == "over"
	if !over && c.given("size") == "" {
		return nil, b.errorf(c.at, "size has one of the options :over and :under")
	}
	limit := c.args[0].number
	return func(r *run) (bool, error) {
		size := uint64(len(r.Raw))
		if over {
			return size > limit, nil
		}
		return size < limit, nil
	}, nil
}

// buildString reads the test string (RFC 5229 §5).
func buildString(b *builder, c *call) (test, error) {
	m, err := b.matcher(c)
	if err != nil {
		return nil, err
	}
	return compared(c, m, c.args[0], c.args[1], func(_ *run, values []string) ([]string, error) {
		if m.kind != "count" {
			return values, nil
		}
		var some []string
		for _, v := range values {
			if v != "" {
				some = append(some, v)
			}
		}
		return some, nil
	})
}

// compared returns a test that compares what find makes of some strings with keys.
func compared(c *call, m *matcher, of, keys argument, find func(*run, []string) ([]string, error)) (test, error) {
	names, err := c.phrases(of)
	if err != nil {
		return nil, err
	}
	wanted, err := c.phrases(keys)
	if err != nil {
		return nil, err
	}
	return func(r *run) (bool, error) {
		list, err := allIn(r, names)
		if err != nil {
			return false, err
		}
		values, err := find(r, list)
		if err != nil {
			return false, err
		}
		k, err := allIn(r, wanted)
		if err != nil {
			return false, err
		}
		return m.any(r, values, k)
	}, nil
}

// buildMailboxExists reads mailboxexists (RFC 5490 §3.1).
func buildMailboxExists(_ *builder, c *call) (test, error) {
	names, err := c.phrases(c.args[0])
	if err != nil {
		return nil, err
	}
	return func(r *run) (bool, error) {
		list, err := allIn(r, names)
		if err != nil {
			return false, err
		}
		for _, name := range list {
			if r.Exists == nil || !r.Exists(name, "") {
				return false, nil
			}
		}
		return true, nil
	}, nil
}

// buildUseExists reads specialuse_exists (RFC 8579 §3): the mailbox, or some mailbox for each, has all
// the uses.
func buildUseExists(_ *builder, c *call) (test, error) {
	name := phrase{}
	if c.first != nil {
		var err error
		if name, err = c.phrase(*c.first); err != nil {
			return nil, err
		}
	}
	uses, err := c.phrases(c.args[0])
	if err != nil {
		return nil, err
	}
	return func(r *run) (bool, error) {
		box, err := name.in(r)
		if err != nil {
			return false, err
		}
		list, err := allIn(r, uses)
		if err != nil {
			return false, err
		}
		for _, use := range list {
			if r.Exists == nil || !r.Exists(box, use) {
				return false, nil
			}
		}
		return true, nil
	}, nil
}
