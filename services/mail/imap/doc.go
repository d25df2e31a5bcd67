// Package imap is an IMAP server: IMAP4rev2 (RFC 9051) and IMAP4rev1 (RFC 3501) over the mailboxes of package
// mailbox.
//
//	s := &imap.Server{Login: login, Boxes: boxes, Log: log, TLS: config}
//	go s.Serve(ctx, port143)
//	go s.ServeTLS(ctx, port993)
//
// The protocol's frame is imapserver of go-imap: connection, log-in, mailboxes, APPEND, COPY, MOVE, EXPUNGE, IDLE. It
// calls the methods of a session. Between it and the client stands a front, to the library the
// net.Conn, which hands it one whole command at a time. The front answers by itself what the library
// does not know or not all of: FETCH, STORE, SEARCH, SORT, THREAD, ID, QUOTA, COMPRESS, STARTTLS; and changes what
// passes: parameters of SELECT, items of STATUS, what is enabled, the list of capabilities.
// doc/decisions/imap.md says why it is so, and what is out of reach.
//
// A session sees a mailbox as a view: what the client knows, which fixes the sequence numbers, and what is now. The
// difference is told at the end of commands, where the protocol allows it, and in IDLE at once,
// whoever made it: a delivery, another session, another replica, git push. Nothing is kept
// between connections, so any server over the repository will do for any client.
//
// Every change is one Update of the user's branch, in the user's name, and is acknowledged when it is durable.
//
// # Extensions
//
// SASL-IR, LITERAL+, ID (2971), ENABLE, UNSELECT, IDLE, UTF8=ACCEPT (6855), NAMESPACE, UIDPLUS, ESEARCH (4731), SEARCHRES
// (5182), LIST-EXTENDED (5258), LIST-STATUS, MOVE, STATUS=SIZE, BINARY (3516), CHILDREN, SPECIAL-USE and CREATE-SPECIAL-USE
// (6154), UNAUTHENTICATE, APPENDLIMIT, COMPRESS=DEFLATE (4978), CONDSTORE and QRESYNC (7162), SORT and
// THREAD (5256), SORT=DISPLAY (5957), OBJECTID (8474; THREADID is always NIL), PREVIEW (8970), WITHIN (5032), QUOTA (9208).
//
// # Bounds
//
// A client has a minute to log in, and half an hour between commands after that. Before the log-in a command has at
// most 8 KiB, later 48 KiB without the message of an APPEND. Messages on their way in and out share Server.Memory; a
// connection that only waits takes about 20 KiB, with TLS some 10 more. Structures of messages are
// bounded by package message.
//
// # Caveats
//
// Expunged messages are not remembered: VANISHED (EARLIER) names every UID that the client may know and
// that is not there.
//
// While expunges wait to be told because a client says nothing but FETCH, STORE and SEARCH, what else has
// changed waits with them; FETCH shows flags as they are in any case.
package imap
