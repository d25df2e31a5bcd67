package message

import "strings"

// MaxAddresses bounds the addresses that are read of one field.
const MaxAddresses = 10_000

// An Address is a mailbox.
type Address struct {
	Name   string // for people, decoded; often ""
	Local  string // before the @, without quotes
	Domain string // behind it, as written; "" when there is none
}

// A Group is mailboxes under a name ("friends: alice@example.org;"), or, with Name "" and
// Named false, mailboxes that are in no group.
type Group struct {
	Name    string
	Named   bool
	Members []Address
}

// Addr returns the address without the name: local@domain, the local part quoted
// where it has to be. What can be in no domain is left out.
func (a Address) Addr() string {
	local := clean(a.Local)
	if !dotAtom(local) {
		local = quote(local)
	}
	if a.Domain == "" {
		return local
	}
	return local + "@" + strings.Map(func(r rune) rune {
		if strings.ContainsRune(" <>(),;\"\\", r) {
			return -1
		}
		return r
	}, clean(a.Domain))
}

// String returns the address as it stands in a header field, the name encoded.
func (a Address) String() string {
	if a.Name == "" {
		return a.Addr()
	}
	name := clean(a.Name)
	switch {
	case !plain(name) || strings.Contains(name, "=?"):
		name = EncodeWords(name)
	case strings.Trim(name, atomChars+" ") != "":
		name = quote(name)
	}
	return name + " <" + a.Addr() + ">"
}

const atomChars = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789!#$%&'*+-/=?^_`{|}~"

// dotAtom reports whether a local part needs no quotes (RFC 5322 §3.2.3, RFC 6532).
func dotAtom(s string) bool {
	for _, atom := range strings.Split(s, ".") {
		if atom == "" {
			return false
		}
		for i := range len(atom) {
			if atom[i] < 0x80 && strings.IndexByte(atomChars, atom[i]) < 0 {
				return false
			}
		}
	}
	return true
}

func quote(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
}

// Addresses returns the mailboxes of all fields of this name, those in groups too.
func (h Header) Addresses(name string) []Address {
	var list []Address
	for _, g := range h.Groups(name) {
		list = append(list, g.Members...)
	}
	return list
}

// Groups returns the mailboxes of all fields of this name in their groups.
func (h Header) Groups(name string) []Group {
	p := addressParser{}
	for v := range h.values(name) {
		p.scanner = scanner{s: unfold(v)}
		p.list()
	}
	return p.groups
}

// ParseAddresses reads an unfolded list of addresses. What is no address in it is left out.
func ParseAddresses(value string) []Address {
	p := addressParser{scanner: scanner{s: value}}
	p.list()
	var list []Address
	for _, g := range p.groups {
		list = append(list, g.Members...)
	}
	return list
}

// An addressParser reads address lists (RFC 5322 §3.4 and, for what is
// obsolete or only ever seen in the wild, whatever makes sense).
type addressParser struct {
	scanner
	groups []Group
	count  int
	inside bool // in a named group
}

func (p *addressParser) list() {
	p.inside = false
	for !p.done() && p.count < MaxAddresses {
		switch p.space(); p.peek() {
		case ',':
			p.pos++
		case ';':
			p.pos++
			p.inside = false
		default:
			p.one()
		}
	}
}

// add appends to the current group, or to a nameless one.
func (p *addressParser) add(a Address) {
	a.Name, a.Local, a.Domain = strings.TrimSpace(a.Name), clean(a.Local), clean(a.Domain)
	if a.Local == "" && a.Domain == "" {
		return
	}
	p.count++
	if n := len(p.groups); n == 0 || p.groups[n-1].Named != p.inside {
		p.groups = append(p.groups, Group{})
	}
	last := &p.groups[len(p.groups)-1]
	last.Members = append(last.Members, a)
}
