package message

import "strings"

// maxReferences bounds how many message identifiers are read of one header.
const maxReferences = 1000

// MessageID returns the Message-ID without its angle brackets; "" if there is none.
func (h Header) MessageID() string {
	v := h.Get("Message-ID")
	if ids := MessageIDs(v); len(ids) > 0 {
		return ids[0]
	}
	// Some write it without brackets.
	if v = strings.Trim(v, "<> \t"); v != "" && !strings.ContainsAny(v, " \t<>()\"") {
		return clean(v)
	}
	return ""
}

// References returns the identifiers, without angle brackets, of the messages
// before this one in its thread, the parent last: those of References, or else the
// first of In-Reply-To (RFC 5256 §3, REFERENCES).
func (h Header) References() []string {
	var ids []string
	for v := range h.values("References") {
		ids = append(ids, MessageIDs(unfold(v))...)
	}
	if len(ids) > 0 {
		return ids[max(0, len(ids)-maxReferences):]
	}
	if ids = MessageIDs(h.Get("In-Reply-To")); len(ids) > 0 {
		return ids[:1]
	}
	return nil
}

// MessageIDs returns the message identifiers in a value, without their angle brackets.
// Comments and words between them are passed over; white space within one, which
// broken folding leaves there, is taken out, and so are quotation marks (RFC 5256 §3).
func MessageIDs(value string) []string {
	var ids []string
	for len(ids) < maxReferences {
		i := strings.IndexByte(value, '<')
		if i < 0 {
			break
		}
		value = value[i+1:]
		end := strings.IndexAny(value, "<>")
		if end < 0 {
			break
		}
		if value[end] == '<' {
			value = value[end:]
			continue
		}
		if id := canonicalID(value[:end]); id != "" {
			ids = append(ids, id)
		}
		value = value[end+1:]
	}
	return ids
}

func canonicalID(id string) string {
	id = clean(strings.Join(strings.Fields(id), ""))
	if strings.HasPrefix(id, `"`) {
		if local, domain, ok := strings.Cut(id[1:], `"@`); ok && dotAtom(local) {
			return local + "@" + domain
		}
	}
	return id
}
