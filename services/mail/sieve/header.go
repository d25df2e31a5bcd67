package sieve

import (
	"slices"
	"strings"

	"cairn/services/mail/message"
)

// addressFields are those that the test address may look at (RFC 5228 §5.1).
var addressFields = []string{
	"from", "to", "cc", "bcc", "sender", "reply-to", "resent-from", "resent-to", "resent-cc", "resent-bcc", "resent-sender",
	"resent-reply-to", "return-path", "delivered-to", "x-original-to", "envelope-to", "errors-to", "disposition-notification-to",
	"return-receipt-to", "mail-followup-to", "mail-reply-to", "apparently-to", "list-post", "approved-by", "for-approval", "for-comment", "for-handling",
}

// fieldName reports whether a field can be called that (RFC 5322 §2.2).
func fieldName(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r >= 0x7f || r == ':' })
}

// fieldNames makes sure that address is asked for addresses. What is no name of a field is no mistake: no field
// is called that (RFC 5228 §2.4.2.2).
func (c *call) fieldNames(a argument) error {
	names, err := c.phrases(a)
	if err != nil {
		return err
	}
	for _, p := range names {
		s, ok := p.constant()
		if ok && fieldName(s) && c.name == "address" && !slices.Contains(addressFields, lower(s)) {
			return c.b.errorf(p.at, "the field %s holds no addresses that can be asked for: use the test header", s)
		}
	}
	return nil
}

// A picker is :index and :last (RFC 5260 §6): which of the fields of one name are meant.
type picker struct {
	n    int // 0: all
	last bool
}

func (b *builder) picker(c *call) (picker, error) {
	o, ok := c.options["index"]
	p := picker{last: c.given("last") != ""}
	switch {
	case p.last && !ok:
		return p, b.errorf(c.options["last"].at, ":last says from which end :index counts: it lacks :index")
	case ok && o.value.number == 0:
		return p, b.errorf(o.value.at, ":index counts from 1")
	}
	p.n = int(min(o.value.number, message.MaxFields+1))
	return p, nil
}

func (p picker) pick(list []string) []string {
	switch {
	case p.n == 0:
		return list
	case p.n > len(list):
		return nil
	case p.last:
		return list[len(list)-p.n:][:1]
	}
	return list[p.n-1:][:1]
}

// fields returns the values of the fields of a name that are meant.
func (r *run) fields(at int, name string, p picker) ([]string, error) {
	if !fieldName(name) {
		return nil, nil
	}
	return p.pick(r.header.All(name)), r.spend(at, len(r.header.Raw())/8+1)
}

func buildExists(_ *builder, c *call) (test, error) {
	if err := c.fieldNames(c.args[0]); err != nil {
		return nil, err
	}
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
			if err := r.spend(c.at, len(r.header.Raw())/8+1); err != nil || !r.header.Has(name) {
				return false, err
			}
		}
		return true, nil
	}, nil
}

// buildHeader reads the test header: values are decoded (RFC 5228 §2.7.2).
func buildHeader(b *builder, c *call) (test, error) {
	m, err := b.matcher(c)
	if err != nil {
		return nil, err
	}
	p, err := b.picker(c)
	if err != nil {
		return nil, err
	}
	if err := c.fieldNames(c.args[0]); err != nil {
		return nil, err
	}
	return compared(c, m, c.args[0], c.args[1], func(r *run, names []string) ([]string, error) {
		var values []string
		for _, name := range names {
			list, err := r.fields(c.at, name, p)
			if err != nil {
				return nil, err
			}
			for _, v := range list {
				values = append(values, strings.TrimSpace(message.DecodeWords(v)))
			}
		}
		return values, nil
	})
}

func buildAddress(b *builder, c *call) (test, error) {
	m, err := b.matcher(c)
	if err != nil {
		return nil, err
	}
	p, err := b.picker(c)
	if err != nil {
		return nil, err
	}
	if err := c.fieldNames(c.args[0]); err != nil {
		return nil, err
	}
	which := c.given("part")
	return compared(c, m, c.args[0], c.args[1], func(r *run, names []string) ([]string, error) {
		var values []string
		for _, name := range names {
			list, err := r.fields(c.at, name, p)
			if err != nil {
				return nil, err
			}
			for _, v := range list {
				if err := r.spend(c.at, len(v)); err != nil {
					return nil, err
				}
				for _, a := range message.ParseAddresses(v) {
					values = appendPart(values, a, which)
				}
			}
		}
		return values, nil
	})
}

// appendPart appends what is meant of an address; one without a + has no detail (RFC 5233 §4).
func appendPart(values []string, a message.Address, which string) []string {
	user, detail, has := strings.Cut(a.Local, "+")
	switch which {
	case "localpart":
		return append(values, a.Local)
	case "domain":
		return append(values, a.Domain)
	case "user":
		return append(values, user)
	case "detail":
		if !has {
			return values
		}
		return append(values, detail)
	}
	if a.Domain == "" {
		return append(values, a.Local)
	}
	return append(values, a.Local+"@"+a.Domain)
}

// buildEnvelope reads the test envelope (RFC 5228 §5.4).
func buildEnvelope(b *builder, c *call) (test, error) {
	m, err := b.matcher(c)
	if err != nil {
		return nil, err
	}
	names, err := c.phrases(c.args[0])
	if err != nil {
		return nil, err
	}
	for _, p := range names {
		if s, ok := p.constant(); ok && lower(s) != "from" && lower(s) != "to" {
			return nil, b.errorf(p.at, "the envelope has from and to, and no %q", s)
		}
	}
	which := c.given("part")
	return compared(c, m, c.args[0], c.args[1], func(r *run, names []string) ([]string, error) {
		var values []string
		for _, name := range names {
			switch lower(name) {
			case "from":
				values = appendEnvelope(values, r.From, which)
			case "to":
				values = appendEnvelope(values, r.To, which)
			}
		}
		return values, nil
	})
}

// appendEnvelope appends what is meant of an address of the envelope; the null one is "", whatever
// is meant.
func appendEnvelope(values []string, address, which string) []string {
	if address == "" {
		return append(values, "")
	}
	i := strings.LastIndexByte(address, '@')
	if i < 0 {
		return appendPart(values, message.Address{Local: address}, which)
	}
	return appendPart(values, message.Address{Local: address[:i], Domain: address[i+1:]}, which)
}
