package mail

import (
	"errors"
	"fmt"

	"cairn/store"

	"github.com/emersion/go-smtp"
)

// A Refusal says why a message or a recipient is not taken, as an SMTP reply does: Code
// is 4yz when it may be tried again later, Enhanced the status code of RFC 3463.
type Refusal struct {
	Code     int
	Enhanced [3]int
	Text     string // for people, one line
	Err      error  // what lies below it, or nil; not for the client's eyes
}

func (e *Refusal) Error() string {
	s := fmt.Sprintf("%d %d.%d.%d %s", e.Code, e.Enhanced[0], e.Enhanced[1], e.Enhanced[2], e.Text)
	if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	return s
}

func (e *Refusal) Unwrap() error { return e.Err }

// As lets errors.As find it as the error of go-smtp, by which the queue tells what is final.
func (e *Refusal) As(target any) bool {
	reply, ok := target.(**smtp.SMTPError)
	if ok {
		*reply = &smtp.SMTPError{Code: e.Code, EnhancedCode: e.Enhanced, Message: e.Text}
	}
	return ok
}

func refuse(code, class, subject int, text string) *Refusal {
	return &Refusal{Code: code, Enhanced: [3]int{code / 100, class, subject}, Text: text}
}

// AsRefusal makes a *Refusal of any error: what is none becomes 451 4.3.0, as nobody
// but us is to blame and trying again may help.
func AsRefusal(err error) *Refusal {
	var r *Refusal
	var unknown *UnknownError
	var elsewhere *NotLocalError
	switch {
	case errors.As(err, &r):
		return r
	case errors.As(err, &unknown):
		r = refuse(550, 1, 1, "nobody here has this address")
	case errors.As(err, &elsewhere):
		r = refuse(550, 7, 1, "this server does not pass mail on to other domains: log in first, or send it to the domain's own server")
	case errors.Is(err, store.ErrTemporary):
		r = refuse(451, 3, 0, "the mail store cannot be written to at the moment: try again later")
	default:
		r = refuse(451, 3, 0, "something went wrong here: try again later")
	}
	r.Err = err
	return r
}
