package sieve

import "unicode/utf8"

// matches compares a value with a pattern, in which * stands for any characters and ? for one, and
// remembers what they stand for.
func (m *matcher) matches(r *run, value, folded, pattern string) (bool, error) {
	g := glob{pieces: pieces(pattern), text: folded, octets: m.by == octet}
	for !g.done {
		if err := r.spend(m.at, g.run(1<<12)); err != nil {
			return false, err
		}
	}
	if !g.ok || !m.captures {
		return g.ok, nil
	}
	r.matched = []string{value}
	for _, p := range g.pieces {
		if p.wild != 0 && len(r.matched) < maxCaptures {
			r.matched = append(r.matched, value[p.from:p.to])
		}
	}
	return true, nil
}

// A piece is a byte of a pattern, or a wildcard and what it stands for.
type piece struct {
	wild     byte // * or ?, 0 for a byte
	char     byte
	from, to int
}

// pieces reads a pattern; a backslash takes the meaning of what follows it.
func pieces(pattern string) []piece {
	list := make([]piece, 0, len(pattern))
	for i := 0; i < len(pattern); i++ {
		switch c := pattern[i]; {
		case c == '*' || c == '?':
			list = append(list, piece{wild: c})
		case c == '\\' && i+1 < len(pattern):
			i++
			list = append(list, piece{char: pattern[i]})
		default:
			list = append(list, piece{char: c})
		}
	}
	return list
}

// A glob is a text being compared with a pattern. Each * takes as little as it can (RFC 5229
// §3.2); as only the last one before a mismatch can take more, no others need be tried again.
type glob struct {
	pieces   []piece
	text     string
	octets   bool // ? is a byte, not a character
	p, t     int  // where it is
	star     int  // 1 + the last *, 0 for none
	done, ok bool
}

// run takes at most n steps and returns how many it took.
func (g *glob) run(n int) int {
	for i := range n {
		if g.step(); g.done {
			return i + 1
		}
	}
	return n
}

func (g *glob) step() {
	if g.p == len(g.pieces) {
		switch {
		case g.t == len(g.text):
			g.done, g.ok = true, true
		case g.star == g.p && g.star > 0: // the pattern ends with a *
			g.pieces[g.star-1].to = len(g.text)
			g.t = len(g.text)
		default:
			g.back()
		}
		return
	}
	switch p := &g.pieces[g.p]; {
	case p.wild == '*':
		p.from, p.to = g.t, g.t
		g.p++
		g.star = g.p
	case g.t == len(g.text):
		g.done = true
	case p.wild == '?':
		p.from = g.t
		g.t += g.width(g.t)
		p.to = g.t
		g.p++
	case p.char == g.text[g.t]:
		g.p++
		g.t++
	default:
		g.back()
	}
}

// back has the last * take one character more.
func (g *glob) back() {
	if g.star == 0 {
		g.done = true
		return
	}
	s := &g.pieces[g.star-1]
	if s.to == len(g.text) {
		g.done = true
		return
	}
	s.to += g.width(s.to)
	g.p, g.t = g.star, s.to
}

func (g *glob) width(at int) int {
	if g.octets {
		return 1
	}
	_, n := utf8.DecodeRuneInString(g.text[at:])
	return n
}
