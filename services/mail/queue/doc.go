// Package queue carries mail away: to the hosts of other domains, or to a smarthost, until they have
// it or five days are over. What waits lies on the branch "queue", encrypted under the seed.
//
//	q := queue.Open(repo, secrets, queue.Options{Hostname: …, Resolver: …, Dial: …})
//	go q.Run(ctx)
//
//	err := repo.Update(ctx, change, []string{queue.Branch, …}, func(txs map[string]*store.Tx) error {
//		_, err := q.Put(txs[queue.Branch], queue.Message{From: …, To: …, Raw: …})
//		return err
//	})
//
// Put works within somebody else's update, so that a message that goes to mailboxes here and to others
// elsewhere is accepted as a whole or not at all. List, Retry, Hold, Release and Drop are for the
// operator; they may run in another process.
//
// # What holds
//
// Once the update of a Put has returned nil, the message is sent or its sender gets a report, whatever
// crashes. A message is put on the branch once, however many recipients it has; its recipients are
// divided into entries, of one domain and a hundred at most, each with its own attempts. What came of an
// attempt is one commit together with the reports that follow from it.
//
// Nobody is sent a message twice, but in one case that SMTP leaves no way out of (RFC 1047): when we crash, or are
// cut off, between the other side's taking a message and our commit that says so, or when its answer
// does not arrive. The commit is made at once when the answer is there, and a worker has one message at a time,
// so that this can concern as many messages as there are connections. When Run is told to end it waits
// for answers that are due, for twenty seconds.
//
// Of several processes on one repository one sends: it has a lease on the branch (lease.go), which another
// takes over after a minute of silence, or at once when Run has ended in order. The holder sends nothing after its
// lease has run out by its own clock, which is before anybody else may begin; so a process that
// cannot reach the repository's host stops sending. Options.Sole saves the lease where a lock
// on the repository does its work.
//
// # How it is sent
//
// To the hosts in the domain's MX records, best first and equals in any order, or to the domain
// itself (RFC 5321 §5.1), by IPv6 and IPv4; never back to ourselves (Options.Hostname) and never to an
// address that Options.Allow does not allow. STARTTLS is used where it is offered, with whatever
// certificate, and a failed handshake leads to plain text; but where the domain has an MTA-STS policy
// that is to be enforced (RFC 8461), where the sender asks for REQUIRETLS (RFC 8689), and towards
// a smarthost, TLS must be had with the right name or nothing is sent. Many recipients share a
// transaction, messages to one destination share connections, of which there are first one and then, as long as
// things go well, up to Options.PerDestination. A destination that cannot be reached is tried by one
// message, and the others for it wait with that one.
//
// A message is tried again after a minute, then 5, 15, 30, and after one, two and every four hours.
// After four hours the sender hears that it takes long and after five days, or when a host refuses
// it for good, that it was in vain (RFC 3464), unless he has asked otherwise (RFC 3461). A report has the null sender and
// is an entry like any other; nobody hears of what becomes of it.
//
// What a host cannot take is not changed for it: a message that needs SMTPUTF8, 8BITMIME or BINARYMIME where they
// are missing, or is larger than the host says it takes, comes back with words that say so.
//
// # What it costs
//
// A Put writes two blobs and three small folders, however much waits (ids are spread over 65,536
// folders). Sending looks at what is due and at nothing else: what waits is read once at the start, some
// 200 bytes of memory for each entry, and then followed by what changes. The branch's history keeps what was sent, encrypted, until Forget.
//
// # Caveats
//
// MTA-STS policies are remembered in memory, so a restart forgets them. DANE (RFC 7672) needs DNSSEC, which
// a Resolver does not tell of: it is not done. TLS reports (RFC 8460) are not sent.
//
// In a clone one can see when how many messages of what size waited, and the random names of processes;
// nothing else.
package queue
