package sieve

import (
	"slices"
	"strings"

	"cairn/services/mail/message"
)

// actions are the commands that do something, but for if and require.
var actions = map[string]signature{
	"keep":       {options: "flags", statement: buildKeep},
	"discard":    {statement: buildDiscard},
	"stop":       {statement: buildStop},
	"fileinto":   {needs: "fileinto", options: "copy create flags specialuse", args: []kind{text}, statement: buildFileInto},
	"redirect":   {options: "copy", args: []kind{text}, statement: buildRedirect},
	"reject":     {needs: "reject", args: []kind{text}, statement: buildReject},
	"ereject":    {needs: "ereject", args: []kind{text}, statement: buildReject},
	"set":        {needs: "variables", options: "case initial quote length", args: []kind{text, text}, statement: buildSet},
	"setflag":    {needs: "imap4flags", first: text, args: []kind{texts}, statement: buildFlags},
	"addflag":    {needs: "imap4flags", first: text, args: []kind{texts}, statement: buildFlags},
	"removeflag": {needs: "imap4flags", first: text, args: []kind{texts}, statement: buildFlags},
	"vacation":   {needs: "vacation", options: "every subject from addresses mime handle", args: []kind{text}, statement: buildVacation},
}

func buildKeep(_ *builder, c *call) (statement, error) {
	flags, err := c.flagOption()
	if err != nil {
		return nil, err
	}
	return func(r *run) error {
		if err := r.act(c.at, "keep"); err != nil {
			return err
		}
		f := Filing{Mailbox: inbox}
		if f.Flags, err = flags(r); err != nil {
			return err
		}
		r.cancelled = true
		r.file(f)
		return nil
	}, nil
}

func buildDiscard(*builder, *call) (statement, error) {
	return func(r *run) error {
		r.cancelled = true
		return nil
	}, nil
}

func buildFileInto(b *builder, c *call) (statement, error) {
	name, err := c.phrase(c.args[0])
	if err != nil {
		return nil, err
	}
	if s, ok := name.constant(); ok && s == "" {
		return nil, b.errorf(name.at, "a mailbox has a name")
	}
	use, _, err := c.optional("specialuse")
	if err != nil {
		return nil, err
	}
	flags, err := c.flagOption()
	if err != nil {
		return nil, err
	}
	return func(r *run) (err error) {
		if err := r.act(c.at, "fileinto"); err != nil {
			return err
		}
		f := Filing{Create: c.given("create") != ""}
		if f.Mailbox, err = name.in(r); err != nil {
			return err
		}
		if f.Mailbox == "" {
			return r.errorf(name.at, "the name of the mailbox is empty")
		}
		if strings.EqualFold(f.Mailbox, inbox) {
			f.Mailbox = inbox
		}
		if f.Use, err = use.in(r); err != nil {
			return err
		}
		if f.Flags, err = flags(r); err != nil {
			return err
		}
		r.cancelled = r.cancelled || c.given("copy") == ""
		r.file(f)
		return nil
	}, nil
}

func buildRedirect(b *builder, c *call) (statement, error) {
	to, err := c.phrase(c.args[0])
	if err != nil {
		return nil, err
	}
	if s, ok := to.constant(); ok && mailAddress(s) == "" {
		return nil, b.errorf(to.at, "%q is no address of mail", s)
	}
	return func(r *run) error {
		if err := r.act(c.at, "redirect"); err != nil {
			return err
		}
		s, err := to.in(r)
		if err != nil {
			return err
		}
		address := mailAddress(s)
		switch {
		case address == "":
			return r.errorf(to.at, "%q is no address of mail", s)
		case slices.Contains(r.out.Redirect, address):
		case len(r.out.Redirect) == MaxRedirects:
			return r.errorf(c.at, "a message can be redirected to %d addresses and no more", MaxRedirects)
		default:
			r.out.Redirect = append(r.out.Redirect, address)
		}
		r.cancelled = r.cancelled || c.given("copy") == ""
		return nil
	}, nil
}

// mailAddress returns the address that s is, "" when it is none or several.
func mailAddress(s string) string {
	if strings.ContainsAny(s, "\r\n\x00") {
		return ""
	}
	list := message.ParseAddresses(s)
	if len(list) != 1 || list[0].Local == "" || list[0].Domain == "" {
		return ""
	}
	return list[0].Addr()
}

// buildReject reads reject and ereject (RFC 5429): whether the refusal is one of SMTP or a message is
// for those to decide who carry it out, as both allow.
func buildReject(_ *builder, c *call) (statement, error) {
	reason, err := c.phrase(c.args[0])
	if err != nil {
		return nil, err
	}
	return func(r *run) error {
		if err := r.act(c.at, c.name); err != nil {
			return err
		}
		if len(r.out.File)+len(r.out.Redirect) > 0 || r.out.Vacation != nil {
			return r.errorf(c.at, "a message that is kept, sent on or answered cannot be rejected")
		}
		s, err := reason.in(r)
		if err != nil {
			return err
		}
		if s = strings.TrimSpace(s); s == "" {
			s = "the recipient does not want this message"
		}
		r.out.Reject, r.cancelled = s, true
		return nil
	}, nil
}
