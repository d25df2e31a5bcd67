package mailbox

import (
	"strconv"
	"strings"
)

// Where things lie on a branch
//
//	mail.toml                                        the highest UIDVALIDITY
//	subscriptions.txt
//	mailboxes/Archive/2024/mailbox.toml              UIDVALIDITY, UIDNEXT and the like
//	mailboxes/Archive/2024/1xxxx/123xx/flags.txt     a line for each message of UID 12300 to 12399
//	mailboxes/Archive/2024/1xxxx/123xx/12345.eml     a message as received
//	mailboxes/Archive/2024/1xxxx/123xx/12345.trace   what is put before it for this recipient
const (
	rootFile      = "mail.toml"
	subsFile      = "subscriptions.txt"
	attributeFile = ".gitattributes"
	boxesDir      = "mailboxes"
	recordFile    = "mailbox.toml"
	stateFile     = "flags.txt"
	rawExt        = ".eml"
	traceExt      = ".trace"
)

const (
	perGroup = 100 // UIDs in a folder
	perTop   = 100 // of these in a folder
)

// groupOf is the number of the folder that holds a UID.
func groupOf(uid UID) uint32 { return uint32(uid) / perGroup }

// groupDir is the path of a group's folder below its mailbox's, such as 1xxxx/123xx.
func groupDir(n uint32) string { return topName(n/perTop) + "/" + groupName(n) }

func topName(top uint32) string { return strconv.FormatUint(uint64(top), 10) + "xxxx" }
func groupName(n uint32) string { return strconv.FormatUint(uint64(n), 10) + "xx" }

// parseTop and parseGroup are the inverse of topName and groupName.
func parseTop(name string) (uint32, bool)   { return parseNumber(name, "xxxx", 1<<32/perGroup/perTop) }
func parseGroup(name string) (uint32, bool) { return parseNumber(name, "xx", 1<<32/perGroup) }

// parseFile splits the name of a message's file, such as 12345.eml.
func parseFile(name string) (uid UID, ext string, ok bool) {
	dot := strings.LastIndexByte(name, '.')
	if dot < 0 || name[dot:] != rawExt && name[dot:] != traceExt {
		return 0, "", false
	}
	n, ok := parseNumber(name, name[dot:], 1<<32-1)
	return UID(n), name[dot:], ok && n > 0
}

// parseNumber reads a name that is a number up to max, written as we write it, and an ending.
func parseNumber(name, ending string, max uint64) (uint32, bool) {
	digits, ok := strings.CutSuffix(name, ending)
	if !ok || digits == "" || len(digits) > 10 || digits[0] == '0' && digits != "0" {
		return 0, false
	}
	var n uint64
	for i := range len(digits) {
		c := digits[i] - '0'
		if c > 9 {
			return 0, false
		}
		n = n*10 + uint64(c)
	}
	return uint32(n), n <= max
}

// rawPath and tracePath are where a message of the mailbox in dir lies.
func rawPath(dir string, uid UID) string   { return filePath(dir, uid) + rawExt }
func tracePath(dir string, uid UID) string { return filePath(dir, uid) + traceExt }

func filePath(dir string, uid UID) string {
	return dir + "/" + groupDir(groupOf(uid)) + "/" + strconv.FormatUint(uint64(uid), 10)
}
