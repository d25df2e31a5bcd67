// Package srs rewrites the senders of forwarded mail.
package srs

import "time"

// A Rewriter makes addresses of a domain of ours out of other people's, and back.
type Rewriter struct {
	Domain string           // a domain of ours
	Key    []byte           // what the addresses are signed with
	Now    func() time.Time // the clock; nil: time.Now
}

// Forward returns the address of ours that stands for sender when a message of his is passed on.
// The empty sender stays empty.
func (r *Rewriter) Forward(sender string) (string, error) { return sender, nil }

// Reverse returns the sender that an address of ours stands for.
func (r *Rewriter) Reverse(local string) (string, error) { return local, nil }
