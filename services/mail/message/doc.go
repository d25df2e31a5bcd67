// Package message reads mail messages (RFC 5322, MIME) as they are found, not as
// they should be, and writes small ones.
//
// A message is bytes. Nothing here copies them whole: Split cuts them in two,
// ParseHeader indexes the fields, Parts walks the MIME structure, and what they
// return shares the message's memory. Nobody changes it.
//
//	head, _ := message.Split(raw)
//	h := message.ParseHeader(head)
//	subject := h.Text("Subject")
//	for p := range message.Parts(raw) {
//		if p.Type == "text/calendar" {
//			use(p.Text(1 << 20))
//		}
//	}
//
// # Leniency
//
// No reader here returns an error: a message that was accepted has to be shown,
// found and sorted, whatever is wrong with it. Lines may end in CRLF or LF. What
// cannot be read of a header field is left out, what cannot be decoded stays as it
// is, and every string that is meant for people is valid UTF-8 without control
// characters other than tab and line feed. Who has to refuse bad messages asks
// Inspect.
//
// # Bounds
//
// Of a header the first MaxHeader bytes and MaxFields fields are seen, of a message
// MaxParts parts to MaxDepth levels; what is beyond stays part of its
// surroundings. Each reader takes time in proportion to the bytes it reads
// and memory of at most a small multiple of them, and those that decode stop at
// the caller's limit.
//
// # Sources
//
// RFC 5322 and 6532 (header), 2045 to 2047, 2231 and 2183 (MIME), 3676 (format=flowed),
// 5256 (base subjects, threads), 8970 (previews), 5321 §2.3.8 (what SMTP carries).
package message
