package object

import (
	"bytes"
	"encoding/hex"
	"math"
	"strconv"
)

// checkHeaders wants a blank line after the headers or, when there is no message,
// a line feed after the last of them.
func checkHeaders(data []byte) string {
	end := bytes.Index(data, []byte("\n\n"))
	if end < 0 {
		end = len(data)
	}
	switch {
	case bytes.IndexByte(data[:end], 0) >= 0:
		return "nulInHeader"
	case end == len(data) && !bytes.HasSuffix(data, []byte("\n")):
		return "unterminatedHeader"
	}
	return ""
}

func checkCommit(data []byte) string {
	if id := checkHeaders(data); id != "" {
		return id
	}
	r := headerReader{data}
	if value, ok := r.line("tree"); !ok {
		return "missingTree"
	} else if !isHash(value) {
		return "badTreeSha1"
	}
	for value, ok := r.line("parent"); ok; value, ok = r.line("parent") {
		if !isHash(value) {
			return "badParentSha1"
		}
	}
	authors := 0
	for value, ok := r.line("author"); ok; value, ok = r.line("author") {
		if id := checkIdent(value); id != "" {
			return id
		}
		authors++
	}
	switch {
	case authors == 0:
		return "missingAuthor"
	case authors > 1:
		return "multipleAuthors"
	}
	value, ok := r.line("committer")
	if !ok {
		return "missingCommitter"
	}
	if id := checkIdent(value); id != "" {
		return id
	}
	if bytes.IndexByte(data, 0) >= 0 {
		return "nulInCommit"
	}
	return ""
}

func checkTag(data []byte) string {
	if id := checkHeaders(data); id != "" {
		return id
	}
	r := headerReader{data}
	if value, ok := r.line("object"); !ok {
		return "missingObject"
	} else if !isHash(value) {
		return "badObjectSha1"
	}
	value, ok := r.line("type")
	if !ok {
		return "missingTypeEntry"
	}
	if _, ok := ParseType(string(value)); !ok {
		return "badType"
	}
	if _, ok := r.line("tag"); !ok {
		return "missingTagEntry"
	}
	if value, ok := r.line("tagger"); ok {
		return checkIdent(value)
	}
	return ""
}

func isHash(value []byte) bool {
	var h Hash
	if len(value) != 2*len(h) {
		return false
	}
	_, err := hex.Decode(h[:], value)
	return err == nil
}

// checkIdent checks "Name <email> 1700000000 +0100".
func checkIdent(line []byte) string {
	open := bytes.IndexAny(line, "<>")
	switch {
	case open == 0 && line[0] == '<':
		return "missingNameBeforeEmail"
	case open < 0:
		return "missingEmail"
	case line[open] == '>':
		return "badName"
	case line[open-1] != ' ':
		return "missingSpaceBeforeEmail"
	}
	line = line[open+1:]
	end := bytes.IndexAny(line, "<>")
	if end < 0 || line[end] == '<' {
		return "badEmail"
	}
	date, ok := bytes.CutPrefix(line[end+1:], []byte(" "))
	if !ok {
		return "missingSpaceBeforeDate"
	}
	return checkDate(bytes.TrimLeft(date, " \t"))
}

func checkDate(date []byte) string {
	sec, zone, ok := bytes.Cut(date, []byte(" "))
	switch {
	case len(sec) == 0 || !isDigit(sec[0]):
		return "badDate"
	case sec[0] == '0' && (len(sec) > 1 || !ok):
		return "zeroPaddedDate"
	}
	digits := 0
	for digits < len(sec) && isDigit(sec[digits]) {
		digits++
	}
	if n, err := strconv.ParseUint(string(sec[:digits]), 10, 64); err != nil || n > math.MaxInt64 {
		return "badDateOverflow"
	}
	if digits < len(sec) || !ok {
		return "badDate"
	}
	if len(zone) != 5 || zone[0] != '+' && zone[0] != '-' {
		return "badTimezone"
	}
	for _, c := range zone[1:] {
		if !isDigit(c) {
			return "badTimezone"
		}
	}
	return ""
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }
