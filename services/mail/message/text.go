package message

import "strings"

// Decoded returns the part's body with its transfer encoding undone, at most limit
// bytes. It may share the message's memory.
func (p *Part) Decoded(limit int) []byte {
	return decodeTransfer(p.Body, p.Header.Get("Content-Transfer-Encoding"), max(0, limit))
}

// Text returns the part's body for people to read, at most limit bytes of valid
// UTF-8 with lines that end in LF: charset undone, markup of text/html taken out,
// paragraphs of format=flowed put together. Parts that are not text have none.
func (p *Part) Text(limit int) string {
	if limit <= 0 || !strings.HasPrefix(p.Type, "text/") {
		return ""
	}
	// Markup may be many times its text, but not without bounds.
	source := limit
	if p.Type == "text/html" {
		source = htmlFactor * limit
	}
	text := toUTF8(p.Decoded(source), p.Params["charset"], source)
	switch {
	case p.Type == "text/html":
		return HTMLText(text, limit)
	case strings.EqualFold(p.Params["format"], "flowed"):
		text = unflow(text, strings.EqualFold(p.Params["delsp"], "yes"))
	}
	return cleanLines(text)
}

// htmlFactor says how much of a part of HTML is read for a byte of text.
const htmlFactor = 16

// Text returns what a message says, at most limit bytes: the text of all its
// parts that are text and of the messages in it, in their order, with a line feed
// after each. The header is not in it; HeaderText has that.
func Text(raw []byte, limit int) string {
	var out strings.Builder
	for p := range Parts(raw) {
		if out.Len() >= limit {
			break
		}
		text := p.Text(limit - out.Len())
		if text == "" {
			continue
		}
		out.WriteString(text)
		if !strings.HasSuffix(text, "\n") && out.Len() < limit {
			out.WriteByte('\n')
		}
	}
	return out.String()
}

// HeaderText returns all fields as lines, decoded, at most limit bytes.
func HeaderText(h Header, limit int) string {
	var out strings.Builder
	for f := range h.Fields() {
		line := f.Name + ": " + DecodeWords(f.Value()) + "\n"
		if out.Len()+len(line) > limit {
			break
		}
		out.WriteString(line)
	}
	return out.String()
}

// cleanLines makes lines end in LF and takes control characters out.
func cleanLines(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' && r != '\t' && r != '\n' || 0x7f <= r && r < 0xa0 {
			return -1
		}
		return r
	}, s)
}

// unflow puts the lines of format=flowed together again (RFC 3676 §4).
func unflow(s string, delsp bool) string {
	var out strings.Builder
	out.Grow(len(s))
	flowing, depth := false, 0
	for line := range strings.Lines(s) {
		line = strings.TrimRight(line, "\r\n")
		text := strings.TrimLeft(line, ">")
		d := len(line) - len(text)
		text = strings.TrimPrefix(text, " ")
		if flowing && d != depth {
			out.WriteByte('\n')
			flowing = false
		}
		if !flowing && d > 0 {
			out.WriteString(line[:d] + " ")
		}
		depth = d
		if flowing = strings.HasSuffix(text, " ") && text != "-- "; flowing && delsp {
			text = text[:len(text)-1]
		}
		out.WriteString(text)
		if !flowing {
			out.WriteByte('\n')
		}
	}
	return out.String()
}
