package smtp

import (
	"errors"
	"slices"
	"strconv"
	"strings"
)

var badParams = say(501, "5.5.4", "a parameter is not as its RFC has it")

// cutParams reads KEYWORD[=VALUE] … (RFC 5321 §4.1.2) and gives each, its name in capitals, to f.
func cutParams(s string, f func(name, value string) (reply, bool)) (reply, bool) {
	var seen []string
	for param := range strings.FieldsSeq(s) {
		name, value, _ := strings.Cut(param, "=")
		name = strings.ToUpper(name)
		if slices.Contains(seen, name) {
			return say(501, "5.5.4", name+" is there twice"), false
		}
		seen = append(seen, name)
		if r, ok := f(name, value); !ok {
			return r, false
		}
	}
	return reply{}, true
}

// mailParam takes one parameter of MAIL.
func (c *session) mailParam(e *envelope, name, value string) (reply, bool) {
	bad := func(is bool) (reply, bool) { return badParams, !is }
	switch name {
	case "SIZE": // RFC 1870
		size, err := strconv.ParseUint(value, 10, 63)
		e.size = int64(size)
		if (err == nil || errors.Is(err, strconv.ErrRange)) && e.size > c.server.Limits.Message {
			return flawReplies[tooLarge], false
		}
		return bad(err != nil)
	case "BODY": // RFC 6152, RFC 3030
		value = strings.ToUpper(value)
		e.binary = value == "BINARYMIME"
		return bad(value != "7BIT" && value != "8BITMIME" && (!e.binary || c.kind != Relay))
	case "SMTPUTF8": // RFC 6531
		e.UTF8 = true
		return bad(value != "")
	case "REQUIRETLS": // RFC 8689
		if c.tls == nil {
			return say(530, "5.7.10", "REQUIRETLS needs TLS on this connection, too"), false
		}
		e.RequireTLS = true
		return bad(value != "")
	case "RET": // RFC 3461 §4.3
		e.Return = strings.ToUpper(value)
		return bad(e.Return != "FULL" && e.Return != "HDRS")
	case "ENVID": // RFC 3461 §4.4
		id, ok := unxtext(value)
		e.EnvID = id
		return bad(!ok || id == "" || len(id) > 100)
	case "AUTH": // RFC 4954 §5: somebody else's word, which nothing follows from
		_, ok := unxtext(value)
		return bad(!ok)
	}
	return say(555, "5.5.4", "MAIL does not take "+name), false
}

// rcptParams reads what DSN adds to RCPT (RFC 3461 §4.1, §4.2).
func rcptParams(s string) (notify []string, orcpt string, r reply, ok bool) {
	r, ok = cutParams(s, func(name, value string) (reply, bool) {
		switch name {
		case "NOTIFY":
			notify = strings.Split(strings.ToUpper(value), ",")
			return badParams, validNotify(notify)
		case "ORCPT":
			kind, address, found := strings.Cut(value, ";")
			address, valid := unxtext(address)
			orcpt = kind + ";" + address
			return badParams, found && valid && kind != "" && address != "" && len(orcpt) <= 500 && !strings.ContainsAny(kind, " \t")
		}
		return say(555, "5.5.4", "RCPT does not take "+name), false
	})
	return notify, orcpt, r, ok
}

func validNotify(list []string) bool {
	for i, n := range list {
		if !slices.Contains([]string{"NEVER", "SUCCESS", "FAILURE", "DELAY"}, n) || slices.Contains(list[:i], n) || n == "NEVER" && len(list) > 1 {
			return false
		}
	}
	return true
}

// unxtext decodes xtext (RFC 3461 §4). What comes out is printable; UTF-8 stands for itself (RFC 6533 §3).
func unxtext(s string) (string, bool) {
	var out strings.Builder
	for i := 0; i < len(s); i++ {
		b := s[i]
		if b == '+' {
			if i+2 >= len(s) {
				return "", false
			}
			n, err := strconv.ParseUint(s[i+1:i+3], 16, 8)
			if err != nil || strings.ToUpper(s[i+1:i+3]) != s[i+1:i+3] {
				return "", false
			}
			b = byte(n)
			i += 2
		}
		if b < ' ' || b == 0x7f {
			return "", false
		}
		out.WriteByte(b)
	}
	return out.String(), true
}
