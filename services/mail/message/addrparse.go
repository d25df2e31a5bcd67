package message

import "strings"

// one reads a mailbox, or a group's name and colon.
func (p *addressParser) one() {
	var ws addressWords
	comment := ""
	for {
		if c := p.space(); c != "" {
			comment = c
		}
		switch c := p.peek(); {
		case p.done() || c == ',' || c == ';':
			p.add(ws.bare(comment))
			return
		case c == '<':
			p.add(p.angle(ws.phrase()))
			return
		case c == ':' && len(ws.names) > 0 && ws.at() < 0:
			p.pos++
			p.count++
			p.inside = true
			p.groups = append(p.groups, Group{Name: ws.phrase(), Named: true})
			return
		case c == '"':
			ws.push(p.quoted(), false)
		default:
			ws.push(p.atom(), true)
		}
	}
}

// angle reads what stands in angle brackets, and passes over what follows up to
// the next comma.
func (p *addressParser) angle(name string) Address {
	var ws addressWords
	for p.skip("<") {
	}
	for p.space(); !p.done() && p.peek() != '>'; p.space() {
		switch c := p.peek(); {
		case c == '"':
			ws.push(p.quoted(), false)
		case c == ':': // the end of a route (RFC 5322 §4.4)
			p.pos++
			ws = addressWords{}
		case c == ',' && !strings.HasPrefix(ws.whole(), "@"): // never closed
			return ws.joined(name)
		default:
			ws.push(p.atom(), true)
		}
	}
	comment := ""
	for !p.done() && p.peek() != ',' && !(p.inside && p.peek() == ';') {
		p.pos++
		if c := p.space(); c != "" {
			comment = c
		}
	}
	if name == "" {
		name = DecodeWords(comment)
	}
	return ws.joined(name)
}

// atom reads up to white space or a character that means something else.
func (p *addressParser) atom() string {
	start := p.pos
	for !p.done() && strings.IndexByte(" \t\r\n(),:;<>\"", p.peek()) < 0 {
		if p.peek() == '[' { // a domain literal may hold colons
			if end := strings.IndexByte(p.s[p.pos:min(len(p.s), p.pos+256)], ']'); end > 0 {
				p.pos += end
			}
		}
		p.pos++
	}
	if p.pos == start { // a character in a wrong place
		p.pos++
		return ""
	}
	return p.s[start:p.pos]
}

// addressWords are what was read of a mailbox: atoms and quoted strings, and the
// same joined where an address may have white space (RFC 5322 §4.4): around @ and dots.
type addressWords struct {
	names  []string
	joints []joint
}

// A joint is words that belong together; at is where the last @ is that was not
// quoted, or -1.
type joint struct {
	text string
	at   int
	open bool // ends in an unquoted @ or dot
}

func (w *addressWords) push(s string, atom bool) {
	if s == "" && atom {
		return
	}
	w.names = append(w.names, s)
	j := joint{text: s, at: -1}
	if atom {
		j.at = strings.LastIndexByte(s, '@')
		j.open = strings.HasSuffix(s, "@") || strings.HasSuffix(s, ".")
	}
	n := len(w.joints)
	if n == 0 || !w.joints[n-1].open && !(atom && (s[0] == '@' || s[0] == '.')) || len(w.joints[n-1].text) > maxJoint {
		w.joints = append(w.joints, j)
		return
	}
	last := &w.joints[n-1]
	if j.at >= 0 {
		last.at = len(last.text) + j.at
	}
	last.text += s
	last.open = j.open
}

// maxJoint bounds, in bytes, what is joined: an address has 320 at most (RFC 5321 §4.5.3.1).
const maxJoint = 1024

// at returns the index of the last joint that is an address, or -1.
func (w *addressWords) at() int {
	for i := len(w.joints) - 1; i >= 0; i-- {
		if w.joints[i].at >= 0 {
			return i
		}
	}
	return -1
}

func (w *addressWords) phrase() string { return DecodeWords(strings.Join(w.names, " ")) }

func (w *addressWords) whole() string {
	if len(w.joints) == 0 {
		return ""
	}
	return w.joints[0].text
}

// bare is the mailbox when there were no angle brackets: the address is the last
// word with an @, the name what stands before it, or in the last comment.
func (w *addressWords) bare(comment string) Address {
	i := w.at()
	if i < 0 {
		i = len(w.joints) - 1
	}
	if i < 0 {
		return Address{}
	}
	a := w.joints[i].address()
	var before []string
	for _, j := range w.joints[:i] {
		before = append(before, j.text)
	}
	if a.Name = DecodeWords(strings.Join(before, " ")); a.Name == "" {
		a.Name = DecodeWords(comment)
	}
	return a
}

// joined is the mailbox between angle brackets: everything there.
func (w *addressWords) joined(name string) Address {
	whole := joint{at: -1}
	for _, j := range w.joints {
		if len(whole.text) > maxJoint {
			break
		}
		if j.at >= 0 {
			whole.at = len(whole.text) + j.at
		}
		whole.text += j.text
	}
	a := whole.address()
	a.Name = name
	return a
}

func (j joint) address() Address {
	if j.at < 0 {
		return Address{Local: j.text}
	}
	return Address{Local: j.text[:j.at], Domain: j.text[j.at+1:]}
}
