package mailbox

import "fmt"

// A Quota is how much a user may have, or has; as a limit, zero fields are none.
type Quota struct {
	Bytes    int64
	Messages int64
}

// room is a *QuotaError when there is no room for more.
func (limit Quota) room(used, more Quota) error {
	if limit.Bytes > 0 && used.Bytes+more.Bytes > limit.Bytes || limit.Messages > 0 && used.Messages+more.Messages > limit.Messages {
		return &QuotaError{used, limit}
	}
	return nil
}

// A QuotaError says that there is no room (452 and 552 in SMTP, OVERQUOTA of RFC 9208 in IMAP).
type QuotaError struct{ Used, Limit Quota }

func (e *QuotaError) Error() string {
	if e.Limit.Messages > 0 && e.Used.Messages >= e.Limit.Messages {
		return fmt.Sprintf("the mailbox is full: it has %d messages of %d", e.Used.Messages, e.Limit.Messages)
	}
	return fmt.Sprintf("the mailbox is full: it has %d bytes of %d", e.Used.Bytes, e.Limit.Bytes)
}
