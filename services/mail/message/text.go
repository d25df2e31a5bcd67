package message

import "strings"

// Decoded returns the part's body with its transfer encoding undone, at most limit
// bytes. It may share the message's memory.
func (p *Part) Decoded(limit int) []byte {
	return decodeTransfer(p.Body, p.Header.Get("Content-Transfer-Encoding"), max(0, limit))
}

// Text returns the part's body for people to read, at most limit bytes of valid
// UTF-8 with lines that end in LF: charset undone, markup of text/html taken out,
// paragraphs of format=flowed put together. Only leaves of the types text and message
// (such as message/delivery-status) have any.
func (p *Part) Text(limit int) string {
	if limit <= 0 || !p.Leaf || !strings.HasPrefix(p.Type, "text/") && !strings.HasPrefix(p.Type, "message/") {
		return ""
	}
	if p.Type == "text/html" {
		return HTMLText(p.source(limit), limit)
	}
	text := toUTF8(p.Decoded(sourceLimit(limit)), p.Params["charset"], limit)
	if strings.EqualFold(p.Params["format"], "flowed") {
		text = unflow(text, strings.EqualFold(p.Params["delsp"], "yes"))
	}
	return cut(cleanLines(text), limit)
}

// source returns as much of a part of HTML, in UTF-8, as is looked at for limit
// bytes of text.
func (p *Part) source(limit int) string {
	body := p.Decoded(sourceLimit(limit))
	name := p.Params["charset"]
	if name == "" {
		name = pageCharset(body)
	}
	return toUTF8(body, name, sourceLimit(limit))
}

// sourceLimit says how many bytes of a body are read for so many of text: markup
// and wide charsets are larger than what they say, but not without bounds.
func sourceLimit(limit int) int { return min(limit, 1<<40)*8 + 4096 }

// Text returns what a message says, at most limit bytes: the text of all its
// parts that have any and of the messages in it, in their order, with a line feed
// after each. The header is not in it; HeaderText has that.
func Text(raw []byte, limit int) string {
	var out strings.Builder
	for _, p := range Structure(raw) {
		if out.Len() >= limit {
			break
		}
		text := p.Text(limit - out.Len())
		out.WriteString(text)
		if text != "" && !strings.HasSuffix(text, "\n") && out.Len() < limit {
			out.WriteByte('\n')
		}
	}
	return out.String()
}

// HeaderText returns the fields as lines, decoded, as many as are at most limit bytes.
func HeaderText(h Header, limit int) string {
	var out strings.Builder
	for f := range h.Fields() {
		value := DecodeWords(f.Value())
		if out.Len()+len(f.Name)+len(value)+3 > limit {
			break
		}
		out.WriteString(f.Name)
		out.WriteString(": ")
		out.WriteString(value)
		out.WriteByte('\n')
	}
	return out.String()
}

// cut returns at most limit bytes of text, and no half of a character.
func cut(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	return string(trimRune([]byte(s[:limit])))
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
		signature := text == "-- "
		if flowing && (d != depth || signature) {
			out.WriteByte('\n')
			flowing = false
		}
		if !flowing && d > 0 {
			out.WriteString(line[:d] + " ")
		}
		depth = d
		if flowing = strings.HasSuffix(text, " ") && !signature; flowing && delsp {
			text = text[:len(text)-1]
		}
		out.WriteString(text)
		if !flowing {
			out.WriteByte('\n')
		}
	}
	return out.String()
}
