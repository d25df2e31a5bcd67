package sieve

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
)

// letter is the message of most tests.
const letter = "Return-Path: <bob@elsewhere.example>\r\n" +
	"Received: from a.example by b.example; Tue, 03 Nov 2026 23:30:00 +0200\r\n" +
	"Received: from c.example by a.example; Mon, 02 Nov 2026 10:00:00 +0000\r\n" +
	"From: =?utf-8?q?B=C3=B6b?= <Bob@Elsewhere.example>\r\n" +
	"To: alice+club@example.org, carol@example.org\r\n" +
	"Cc: \"Lists, all\" <all@lists.example>\r\n" +
	"Subject: [club]  Make money =?utf-8?q?f=C3=A4st?=\r\n" +
	"Date: Tue, 03 Nov 2026 23:30:00 +0200\r\n" +
	"X-Count: 17\r\n" +
	"X-Empty:\r\n" +
	"Message-ID: <1@elsewhere.example>\r\n" +
	"MIME-Version: 1.0\r\n" +
	"Content-Type: multipart/mixed; boundary=sep\r\n" +
	"\r\n" +
	"preamble\r\n" +
	"--sep\r\n" +
	"Content-Type: text/plain; charset=utf-8\r\n" +
	"Content-Transfer-Encoding: quoted-printable\r\n" +
	"\r\n" +
	"The caf=C3=A9 opens=\r\n at nine.\r\n" +
	"--sep\r\n" +
	"Content-Type: application/octet-stream\r\n" +
	"Content-Transfer-Encoding: base64\r\n" +
	"\r\n" +
	"c2VjcmV0IGJ5dGVz\r\n" +
	"--sep--\r\n" +
	"epilogue\r\n"

// now is Wednesday, 11 November 2026, in the morning.
var now = time.Date(2026, 11, 11, 8, 9, 10, 0, time.UTC)

func input(raw string) *Input {
	return &Input{
		Raw: []byte(raw), From: "bob@elsewhere.example", To: "alice+club@example.org", Now: now,
		Exists: func(name, use string) bool {
			return (name == "" || name == "Spam" || name == "INBOX") && (use == "" || use == `\Junk` && name != "INBOX")
		},
	}
}

// told says what is to be done, in words.
func told(o *Outcome) string {
	var list []string
	for _, f := range o.File {
		s := "file " + f.Mailbox
		if f.Implicit {
			s = "implicit"
		}
		if f.Use != "" {
			s += " use " + f.Use
		}
		if len(f.Flags) > 0 {
			s += " " + fmt.Sprint(f.Flags)
		}
		if f.Create {
			s += " create"
		}
		list = append(list, s)
	}
	for _, r := range o.Redirect {
		list = append(list, "redirect "+r)
	}
	if o.Reject != "" {
		list = append(list, "reject "+o.Reject)
	}
	if v := o.Vacation; v != nil {
		list = append(list, fmt.Sprintf("vacation %v %q", v.Every, v.Reason))
	}
	if len(list) == 0 {
		return "discard"
	}
	return strings.Join(list, "; ")
}

// run runs a script over a message; what cannot be done is an error's text.
func runOn(t testing.TB, script, raw string) string {
	t.Helper()
	s, err := Parse([]byte(script))
	if err != nil {
		var e *Error
		if !errors.As(err, &e) || e.Line < 1 || e.Column < 1 {
			t.Errorf("%q: error %#v has no place", script, err)
		}
		return "parse: " + err.Error()
	}
	o, err := s.Run(input(raw))
	if err != nil {
		return "run: " + err.Error()
	}
	return told(o)
}
