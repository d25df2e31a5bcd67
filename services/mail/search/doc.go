// Package search finds words in messages, as IMAP's SEARCH asks for them (RFC 9051
// §6.4.4): substrings, in any case, of a message, its body or a field of its header.
//
// An Index holds a signature of each message that it has seen: which groups of three
// bytes occur in what it says, as a Bloom filter of some 300 bytes. It rules out
// most messages without looking at them; those that remain, and those it has not seen, are read.
//
//	index := search.New(64 << 20)
//	found, err := index.Find(ctx, search.Query{In: search.Text, Value: "invoice"}, keys, read)
//
// # A cache
//
// All of it follows from the messages. It may be thrown away at any time, and comes
// back as searches read what they do not know. Save and Load keep it over a restart;
// what Load cannot vouch for is refused. A Key has to name the very bytes that are
// read for it, such as their hash: then nothing here is ever stale.
//
// Answers do not depend on the index, only how long they take: each message that is found has
// been read and looked at by Query.Match. A search for less than three bytes reads all messages.
//
// # Text
//
// Texts are compared as RFC 5051 (i;unicode-casemap) does, with any white space the same
// as one space. Of a message the first MaxText bytes of readable text
// are searched: header fields decoded, all text parts, and names of attachments.
//
// # Caveats
//
// A signature tells which words are likely to be in a message. No index may be kept of mail that must not
// be readable here.
package search
