package junk

import (
	"math/bits"
	"strconv"
	"strings"

	"cairn/services/mail/message"
)

// prefix takes what this server has found out about the sender (RFC 8601): spf=pass, dkim=pass and for whom.
func (t *tokens) prefix(prefix []byte) {
	h := message.ParseHeader(prefix)
	for _, v := range h.All("Authentication-Results") {
		_, results, _ := strings.Cut(v, ";")
		for result := range strings.SplitSeq(results, ";") {
			f := strings.Fields(result)
			if len(f) == 0 {
				continue
			}
			t.lower("auth", f[0])
			for _, property := range f[1:] {
				name, value, _ := strings.Cut(property, "=")
				switch strings.ToLower(name) {
				case "header.d", "header.from", "smtp.mailfrom": // of an address, the domain
					t.lower("auth", f[0]+" "+value[strings.LastIndexByte(value, '@')+1:])
				}
			}
		}
	}
}

// told are fields about which it is told that they are there, and how their name is
// spelt: programs are known by it.
var told = words("date from message-id mime-version organization reply-to subject to cc content-type content-transfer-encoding x-mailer " +
	"x-priority x-msmail-priority importance user-agent in-reply-to x-mimeole errors-to x-complaints-to x-abuse-info")

func words(list string) map[string]bool {
	set := map[string]bool{}
	for w := range strings.FieldsSeq(list) {
		set[w] = true
	}
	return set
}

func (t *tokens) header(raw []byte) {
	head, _ := message.Split(raw)
	h := message.ParseHeader(head)
	for f := range h.Fields() {
		if told[strings.ToLower(f.Name)] {
			t.add("field", f.Name)
		}
	}
	if h.Has("List-Id") || h.Has("List-Unsubscribe") || h.Has("List-Post") || h.Has("Precedence") {
		t.add("list", "")
	}
	for _, name := range []string{"X-Mailer", "User-Agent"} {
		if v := h.Text(name); v != "" {
			t.add("program", v)
			for w := range strings.FieldsSeq(v) {
				t.lower(name, w)
			}
		}
	}
	id := h.MessageID()
	t.lower("id", id[strings.LastIndexByte(id, '@')+1:])
	t.add("id shape", shape(id))
	_, params := message.Params(h.Get("Content-Type"))
	t.add("boundary shape", shape(params["boundary"]))
	t.people(h)
	t.text("subject", h.Text("Subject"))
	t.way(h.All("Received"))
}

// people takes who a message is from and how many it is to.
func (t *tokens) people(h message.Header) {
	for _, name := range []string{"From", "Reply-To", "Sender"} {
		list := h.Addresses(name)
		for _, a := range list[:min(3, len(list))] {
			t.lower(name, a.Addr())
			t.lower(name, "@"+a.Domain)
			t.text(name, a.Name)
		}
	}
	to := len(h.Addresses("To")) + len(h.Addresses("Cc"))
	t.add("recipients", strconv.Itoa(bits.Len(uint(to))))
}

// way takes which servers a message has come by.
func (t *tokens) way(received []string) {
	for _, v := range received[:min(len(received), 20)] {
		for f := range strings.FieldsFuncSeq(strings.ToLower(clip(v, 2000)), func(r rune) bool { return strings.ContainsRune(" ()[]=;,<>\t", r) }) {
			f = strings.Trim(f, ".")
			switch {
			case !strings.Contains(f, ".") || strings.ContainsAny(f, "@/:"):
			case strings.Count(f, ".") == 3 && strings.Trim(f, "0123456789.") == "":
				net := f[:strings.LastIndexByte(f, '.')]
				t.add("net", net)
				t.add("net", net[:strings.LastIndexByte(net, '.')])
			default:
				for n := 0; strings.Contains(f, ".") && n < 5; n++ {
					t.add("host", f)
					_, f, _ = strings.Cut(f, ".")
				}
			}
		}
	}
}
