package mail

import (
	"context"
	"crypto/tls"
	"fmt"
	"strings"

	"cairn/services/mail/message"
)

// trace returns the fields that are put in front of a message for one user (RFC 5321 §4.4).
func (s *Service) trace(in *Incoming, received []byte, address string, checked []byte) []byte {
	b := message.AppendFolded(nil, "Return-Path", "<"+in.From+">")
	b = message.AppendFolded(b, "Delivered-To", address)
	b = append(b, received...)
	return append(b, checked...)
}

// received returns the Received field (RFC 5321 §4.4). Where a user's own program was is
// nobody's business, so it is not in what users submit.
func (s *Service) received(ctx context.Context, in *Incoming) []byte {
	var b strings.Builder
	switch {
	case in.fromOutside():
		name := ""
		if in.Reverse.Name != "" {
			name = in.Reverse.Name + " "
		}
		fmt.Fprintf(&b, "from %s (%s[%s]) ", in.Helo, name, literal(in))
	case in.User != nil:
		fmt.Fprintf(&b, "from %s ", in.User.Name)
	}
	fmt.Fprintf(&b, "by %s with %s", s.Host(ctx), in.Protocol)
	if in.TLS != nil {
		fmt.Fprintf(&b, " (%s, %s)", tls.VersionName(in.TLS.Version), tls.CipherSuiteName(in.TLS.CipherSuite))
	}
	fmt.Fprintf(&b, " id %s; %s", in.ID, message.FormatDate(s.Now()))
	return message.AppendFolded(nil, "Received", b.String())
}

// literal is the client's address as it stands in brackets (RFC 5321 §4.1.3).
func literal(in *Incoming) string {
	if in.Client.Is6() {
		return "IPv6:" + in.Client.String()
	}
	return in.Client.String()
}
