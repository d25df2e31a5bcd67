package imap

import (
	"cairn/services/mail/message"
)

// appendEnvelope writes a message's envelope (RFC 9051 §7.5.2): the fields as they are, with encoded words.
func appendEnvelope(b []byte, h message.Header, utf8 bool) []byte {
	b = appendNString(append(b, '('), h.Get("Date"), utf8)
	b = appendNString(append(b, ' '), h.Get("Subject"), utf8)
	from := h.Groups("From")
	for _, name := range []string{"From", "Sender", "Reply-To"} {
		list := h.Groups(name)
		if len(list) == 0 {
			list = from
		}
		b = appendAddresses(append(b, ' '), list, utf8)
	}
	for _, name := range []string{"To", "Cc", "Bcc"} {
		b = appendAddresses(append(b, ' '), h.Groups(name), utf8)
	}
	b = appendNString(append(b, ' '), h.Get("In-Reply-To"), utf8)
	b = appendNString(append(b, ' '), h.Get("Message-ID"), utf8)
	return append(b, ')')
}

// appendAddresses writes a list of addresses. A group is between an address that has only its
// name and one that has nothing.
func appendAddresses(b []byte, groups []message.Group, utf8 bool) []byte {
	if len(groups) == 0 {
		return append(b, "NIL"...)
	}
	b = append(b, '(')
	for _, g := range groups {
		if g.Named {
			b = append(appendString(append(b, "(NIL NIL "...), phrase(g.Name, utf8), utf8), " NIL)"...)
		}
		for _, a := range g.Members {
			b = appendNString(append(b, '('), phrase(a.Name, utf8), utf8)
			b = appendString(append(b, " NIL "...), a.Local, utf8)
			b = appendString(append(b, ' '), a.Domain, utf8)
			b = append(b, ')')
		}
		if g.Named {
			b = append(b, "(NIL NIL NIL NIL)"...)
		}
	}
	return append(b, ')')
}

// phrase is a name as it stands in a header.
func phrase(name string, utf8 bool) string {
	if quotable(name, utf8) {
		return name
	}
	return message.EncodeWords(name)
}
