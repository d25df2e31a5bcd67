package imap

import (
	"bytes"
	"io"

	"cairn/services/mail/mailbox"
	"cairn/store"

	"github.com/emersion/go-imap/v2"
)

// Append implements imapserver.Session. The front has seen to it that there is room for
// the message in memory.
func (s *session) Append(name string, r imap.LiteralReader, options *imap.AppendOptions) (*imap.AppendData, error) {
	raw := bytes.NewBuffer(make([]byte, 0, r.Size()+bytes.MinRead))
	n, err := raw.ReadFrom(r)
	if err == nil && n < r.Size() {
		err = io.ErrUnexpectedEOF
	}
	if err == nil {
		err = s.front.messageEnd()
	}
	if err != nil {
		return nil, s.reply(err)
	}
	flags := make([]mailbox.Flag, len(options.Flags))
	for i, f := range options.Flags {
		flags[i] = mailbox.Flag(f)
	}
	message := mailbox.New{Raw: store.NewBlob(raw.Bytes()), Hide: s.server.Hide(raw.Bytes()), Flags: mailbox.NewFlags(flags...), Internal: options.Time}
	var data imap.AppendData
	err = s.update(name+": 1 message added", func(e *mailbox.Edit) error {
		uid, err := e.Append(name, message)
		if err != nil {
			return err
		}
		info, err := e.Info(name)
		data = imap.AppendData{UID: imap.UID(uid), UIDValidity: info.UIDValidity}
		return err
	})
	if err != nil {
		return nil, tryCreate(err)
	}
	return &data, nil
}
