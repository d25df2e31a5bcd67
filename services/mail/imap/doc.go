// Package imap is the IMAP server (RFC 9051, RFC 3501).
package imap
