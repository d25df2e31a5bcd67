// Package line reads and writes content lines, the text format that iCalendar
// (RFC 5545 §3.1) and vCard (RFC 6350 §3.2) share, and compares text by the
// collations that CalDAV and CardDAV name (RFC 4790, RFC 5051).
//
//	cards, err := line.Parse(data)
//	for l := range cards[0].All("TEL") {
//		kind, _ := l.Param("TYPE")
//		fmt.Println(kind, line.Unescape(l.Value))
//	}
//
// A Component is what lies between BEGIN and END. Its lines keep their order and
// so do its children; lines that came after a child are written before it.
// Nothing is known here of what a line means: values stay escaped as they came,
// parameters are decoded (RFC 6868, quotes taken off).
//
// # What is read
//
// Lines may end in LF instead of CRLF, the last one need not end at all, the text
// may begin with a UTF-8 byte order mark, empty lines are passed over, and a
// parameter may stand without a value (";HOME"), as vCard 2.1 had it. What cannot
// be kept is refused with an *Error that names the line: bytes that are not
// UTF-8, control characters, lines without a name or a colon, BEGIN and END that
// do not fit.
//
// # Bounds
//
// A text may hold MaxLines lines, each at most MaxLength bytes after unfolding,
// with at most MaxParams parameters and MaxValues values in all of them, and
// components at most MaxDepth deep. Memory is about 100 bytes a line and the
// text once more; time is linear. How long the whole may be is the caller's to
// say, before reading it.
package line
