// Package sieve is the language in which people say what is to be done with their mail
// (RFC 5228). It reads scripts and says what they want of a message; it does nothing itself:
//
//	script, err := sieve.Parse(source)
//	outcome, err := script.Run(&sieve.Input{Raw: raw, From: sender, To: recipient, Now: now})
//
// What it can do beyond RFC 5228 is in Capabilities: envelope, fileinto, encoded-character, copy
// (RFC 3894), body (5173), variables (5229), vacation (5230, 6131), relational (5231), imap4flags
// (5232), subaddress (5233), date and index (5260), reject and ereject (5429), mailbox (5490) and
// special-use (8579).
//
// # Mistakes
//
// Every mistake is an *Error that names line and column. One that shows only when the script
// runs, such as two actions that exclude each other, has no Outcome: then the message is to be kept,
// as if there were no script (RFC 5228 §2.10.6).
//
// # Bounds
//
// A script has at most MaxScript bytes and blocks and tests to a depth of 32. A run may redirect to
// MaxRedirects addresses, take 32 actions, and compare as much as takes about a second; of a
// message's text the first 16 MiB are looked at. All of this is counted, none of it measured: what
// a script does with a message does not depend on how busy the machine is.
//
// # Choices
//
// What RFC 5228 leaves open: times without a zone are in UTC. An explicit keep means the inbox,
// the implicit one wherever the message would have gone without a script. A field that may
// hold no address cannot be asked for in the test address.
package sieve
