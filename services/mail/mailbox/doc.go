// Package mailbox keeps mail: what each person has lies on the branch mail/<user>, as files that people can
// read in a clone, and this package knows their layout and the rules that hold between them. It knows of no protocol.
//
//	mailboxes/INBOX/mailbox.toml              UIDVALIDITY, UIDNEXT, the highest MODSEQ, sums
//	mailboxes/INBOX/1xxxx/123xx/12345.eml     the message of UID 12345, exactly as it was received
//	mailboxes/INBOX/1xxxx/123xx/12345.trace   header fields that are put before it for this recipient
//	mailboxes/INBOX/1xxxx/123xx/flags.txt     modseq, date, size and flags of the messages of 12300 to 12399
//	mailboxes/Archive/2024/…                  a mailbox below another
//	mail.toml                                 the highest UIDVALIDITY that a mailbox ever had
//	subscriptions.txt                         a name on each line
//	sieve/…, settings.toml, …                 what others keep here
//
// Boxes are the mail of everybody in a repository, a Box that of one user. Its Snapshot has Mailboxes, which have
// Messages. All of these are immutable and cost what differs from those seen before. Update is the only way to
// write: its function gets an Edit, and all it does is one commit.
//
//	err := boxes.Update(ctx, change, "alice", func(e *mailbox.Edit) error {
//		_, err := e.Append(mailbox.Inbox, mailbox.New{Raw: store.NewBlob(raw)})
//		return err
//	})
//
// A message for many recipients is one store.Blob that is put into all their mailboxes by one store.Repo.Update, with
// Boxes.Edit for each: its bytes are stored once, and either everybody has it or nobody. To copy or to move is
// to name the bytes again, to rename a mailbox is to name its folder again.
//
// # Numbers
//
// UID, UIDNEXT, UIDVALIDITY (RFC 9051) and MODSEQ (RFC 7162) are stored, and assigned by the function of an
// Update, which runs again on the newer state when somebody else was first. So they are the same in a clone, a replica
// and after a restore. No mailbox of a user ever gets a UIDVALIDITY that another one had. All that one Edit does to a mailbox has one
// modseq. What was expunged is not remembered: to a client that knows of a UID which is not there it vanished.
//
// Somebody without mail is shown the default mailboxes, which the first change makes. Reading never writes.
//
// # By hand
//
// Who has cloned the branch may remove and push messages and mailboxes, edit flags (with ? for modseq), rename
// mailboxes, and put a file anything.eml into a mailbox's folder to have it there as a message. Check says
// what a push must satisfy. Settle then brings in order what people leave to it; Pushed and Run have it called.
//
// To roll the branch back would give out UIDs twice. Restore brings back what an older Snapshot had, under new ones.
//
// # Caveats
//
// Whoever deletes the branch itself begins anew, also with UIDVALIDITY.
//
// A message is in memory as a whole when it is written and read, and at most store.MaxObject long.
package mailbox
