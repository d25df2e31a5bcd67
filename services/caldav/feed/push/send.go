package push

import (
	"bytes"
	"context"
	"encoding/xml"
	"io"
	"net/http"
	"time"
)

// A message is what a program is told.
type message struct {
	topic          string
	content, props bool
	token          string
}

// encode writes it as the draft has it.
func (m *message) encode() []byte {
	var b bytes.Buffer
	b.WriteString(`<?xml version="1.0" encoding="utf-8"?>` + "\n" + `<push-message xmlns="https://bitfire.at/webdav-push" xmlns:D="DAV:"><topic>`)
	xml.EscapeText(&b, []byte(m.topic))
	b.WriteString("</topic>")
	if m.content {
		b.WriteString("<content-update>")
		if m.token != "" {
			b.WriteString("<D:sync-token>")
			xml.EscapeText(&b, []byte(m.token))
			b.WriteString("</D:sync-token>")
		}
		b.WriteString("</content-update>")
	}
	if m.props {
		b.WriteString("<property-update/>")
	}
	b.WriteString("</push-message>")
	return b.Bytes()
}

// A result is what has become of a message.
type result int

const (
	none    result = iota
	sent           // the push service has it
	failed         // it may be had later
	refused        // there is nobody for whom it could be
)

const (
	sendTimeout = 30 * time.Second
	ttl         = "86400" // seconds for which the push service keeps it
)

// send hands a message to the push service (RFC 8030 §5).
func (s *Service) send(ctx context.Context, k *kept, m *message) result {
	body, err := encrypt(s.Rand, k.Public, k.Auth, m.encode())
	if err != nil {
		s.log().Error("push", "user", k.User, "err", err)
		return refused
	}
	ctx, cancel := context.WithTimeout(ctx, sendTimeout)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, k.Endpoint, bytes.NewReader(body))
	if err != nil {
		return refused
	}
	auth, err := s.authorization(k.Endpoint)
	if err != nil {
		s.log().Error("push", "user", k.User, "err", err)
		return refused
	}
	r.Header.Set("Authorization", auth)
	r.Header.Set("Content-Encoding", "aes128gcm")
	r.Header.Set("Content-Type", `application/xml; charset="UTF-8"`)
	r.Header.Set("TTL", ttl)
	r.Header.Set("Urgency", "normal")
	if !m.props {
		// One that waits may be replaced by this one, which says no less.
		r.Header.Set("Topic", s.name("waiting", m.topic, k.Endpoint))
	}
	answer, err := s.Client.Do(r)
	if err != nil {
		s.log().Info("push", "user", k.User, "host", r.URL.Host, "err", err)
		return failed
	}
	defer answer.Body.Close()
	io.Copy(io.Discard, io.LimitReader(answer.Body, 64<<10)) // so that the connection can be used again
	switch {
	case answer.StatusCode/100 == 2:
		return sent
	case answer.StatusCode == http.StatusNotFound, answer.StatusCode == http.StatusGone:
		return refused // RFC 8030 §7.3
	}
	s.log().Info("push", "user", k.User, "host", r.URL.Host, "status", answer.StatusCode)
	return failed
}
