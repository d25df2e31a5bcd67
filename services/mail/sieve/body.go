package sieve

import (
	"bytes"
	"strings"

	"cairn/services/mail/message"
)

// buildBody reads the test body (RFC 5173). What its wildcards match sets no variables (§6).
func buildBody(b *builder, c *call) (test, error) {
	m, err := b.matcher(c)
	if err != nil {
		return nil, err
	}
	m.captures = false
	var types []phrase
	if o, ok := c.options["body"]; ok && o.name == "content" {
		if types, err = c.phrases(o.value); err != nil {
			return nil, err
		}
	}
	keys, err := c.phrases(c.args[0])
	if err != nil {
		return nil, err
	}
	which := c.given("body")
	return func(r *run) (bool, error) {
		wanted, err := allIn(r, keys)
		if err != nil {
			return false, err
		}
		var values []string
		switch which {
		case "raw":
			values = []string{string(r.body[:min(len(r.body), maxText)])}
		case "content":
			list, err := allIn(r, types)
			if err != nil {
				return false, err
			}
			if values, err = r.content(c.at, list); err != nil {
				return false, err
			}
		default:
			values = []string{r.text()}
		}
		return m.any(r, values, wanted)
	}, nil
}

// text is what the message says, for people to read.
func (r *run) text() string {
	if r.said == nil {
		s := message.Text(r.Raw, maxText)
		r.said = &s
	}
	return *r.said
}

// content returns what the parts of some media types hold (RFC 5173 §5.2).
func (r *run) content(at int, types []string) ([]string, error) {
	if !r.read {
		r.contents, r.read = message.Structure(r.Raw), true
	}
	var values []string
	left := maxText
	for i := range r.contents {
		p := &r.contents[i]
		if !wanted(p.Type, types) {
			continue
		}
		for _, s := range inPart(p, left) {
			if err := r.spend(at, len(s)); err != nil {
				return nil, err
			}
			left -= len(s)
			values = append(values, s)
		}
	}
	return values, nil
}

// wanted reports whether a media type is one of types: "text/plain", "text", or "" for all.
func wanted(media string, types []string) bool {
	for _, t := range types {
		t = lower(t)
		major, _, _ := strings.Cut(media, "/")
		if t == "" || t == media || t == major {
			return true
		}
	}
	return false
}

// inPart returns what is searched of a part: the text of a leaf, the header of a message that is
// in the message, and what stands before and behind the parts of a multipart.
func inPart(p *message.Part, limit int) []string {
	switch {
	case limit <= 0:
		return nil
	case p.Multipart():
		return around(p, limit)
	case !p.Leaf:
		head, _ := message.Split(p.Body)
		return []string{string(head[:min(len(head), limit)])}
	case p.Type == "text/plain":
		return []string{p.Text(limit)}
	}
	return []string{string(p.Decoded(limit))}
}

func around(p *message.Part, limit int) []string {
	line := []byte("--" + p.Params["boundary"])
	before, rest, ok := bytes.Cut(p.Body, line)
	if !ok {
		return nil
	}
	values := []string{string(before[:min(len(before), limit)])}
	if i := bytes.LastIndex(rest, append(line, "--"...)); i >= 0 {
		behind := rest[i+len(line)+2:]
		values = append(values, string(behind[:min(len(behind), limit)]))
	}
	return values
}
