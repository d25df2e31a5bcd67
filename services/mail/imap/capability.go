package imap

import (
	"bytes"
	"fmt"
	"strings"
)

// always and after are the capabilities that clients are told of in each state.
const (
	always = "IMAP4rev2 IMAP4rev1 SASL-IR LITERAL+ ID ENABLE"
	after  = "UNSELECT IDLE UTF8=ACCEPT NAMESPACE UIDPLUS ESEARCH SEARCHRES LIST-EXTENDED LIST-STATUS MOVE" +
		" STATUS=SIZE BINARY CHILDREN SPECIAL-USE CREATE-SPECIAL-USE UNAUTHENTICATE" +
		" CONDSTORE QRESYNC SORT SORT=DISPLAY THREAD=ORDEREDSUBJECT THREAD=REFERENCES OBJECTID PREVIEW WITHIN QUOTA QUOTA=RES-STORAGE QUOTA=RES-MESSAGE"
)

// capabilities are what this client can use now (RFC 9051 §6.1.1).
func (f *front) capabilities() string {
	list := []string{always}
	if f.session.loggedIn() {
		list = append(list, after, fmt.Sprintf("APPENDLIMIT=%d", f.server.MaxMessage))
		if !f.wire.compressed() {
			list = append(list, "COMPRESS=DEFLATE")
		}
		return strings.Join(list, " ")
	}
	if f.canStartTLS() {
		list = append(list, "STARTTLS")
	}
	mechanisms := f.session.AuthenticateMechanisms()
	if len(mechanisms) == 0 {
		list = append(list, "LOGINDISABLED")
	}
	for _, m := range mechanisms {
		list = append(list, "AUTH="+m)
	}
	return strings.Join(list, " ")
}

// capable replaces the library's list.
func (f *front) capable(line []byte) []byte {
	head, list, _ := bytes.Cut(line, []byte("CAPABILITY "))
	var rest []byte
	if i := bytes.IndexAny(list, "]\r"); i >= 0 {
		rest = list[i:]
	}
	return fmt.Appendf(nil, "%sCAPABILITY %s%s", head, f.capabilities(), rest)
}

func (f *front) canStartTLS() bool { return f.server.TLS != nil && f.wire.tls == nil }

// startTLS is STARTTLS (RFC 9051 §6.2.1). What a client, or somebody before it, has said in
// the clear behind it must not count as said under TLS.
func (s *session) startTLS(c *command) error {
	f := s.front
	if !f.canStartTLS() {
		return bad("TLS is not to be had, or is there already")
	}
	if len(f.wire.have) > 0 {
		f.broken = errClear
		return bad(errClear.Error())
	}
	if err := f.answer(c.tag, "STARTTLS", nil); err != nil {
		return err
	}
	if err := f.wire.flush(); err != nil {
		return err
	}
	f.wire.startTLS(f.server.TLS)
	return nil
}

// compress is COMPRESS (RFC 4978).
func (s *session) compress(c *command) error {
	a := c.arguments()
	if err := a.space(); err != nil {
		return err
	}
	if how, err := a.keyword(); err != nil || how != "DEFLATE" {
		return bad("the only compression is DEFLATE")
	}
	if s.front.wire.compressed() {
		return no("COMPRESSIONACTIVE", "The connection is compressed already")
	}
	if err := s.front.answer(c.tag, c.name, nil); err != nil {
		return err
	}
	if err := s.front.wire.flush(); err != nil {
		return err
	}
	s.front.wire.compress()
	return nil
}
