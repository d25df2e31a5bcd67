// Package junk tells unwanted mail from wanted, by what a person has taught it.
//
// Each user has statistics of their own: in how many wanted and unwanted messages each word occurred. They
// lie in the folder junk of branch mail/<user> and grow with each message that the
// person moves to the mailbox for junk or out of it.
//
//	filter := junk.New(64 << 20)
//	score, err := filter.Score(snapshot, junk.Message{Prefix: prefix, Raw: raw}) // 0 wanted … 1 junk
//
//	lessons, err := filter.Teach(edit) // within an update of mail/<user>
//	lessons.Learn(junk.Message{Prefix: prefix, Raw: raw}, true)
//	err = lessons.Save()
//
// Before it has been shown MinLessons messages of both kinds the score is Unsure,
// whatever the message: what is known of the sender has to decide then.
//
// # Method
//
// A word is worth Robinson's f(w), as in bogofilter and SpamBayes. The score is the mean of the log odds
// of the clearest words, not Fisher's chi-squared of them: it ranks the messages of the public corpus of
// SpamAssassin better, in particular advertisements that somebody has asked for. A
// message about which the filter is right and sure already is counted as seen, but not learned ("train on error or near
// error"), for the same reason, and because it keeps what is written small.
//
// # What lies where
//
//	junk/state.txt       totals, sums of all other files, the last lessons
//	junk/words/<h>.bin   words whose hash begins with the hexadecimal digit h
//	junk/recent/<n>.bin  what was learned since, a file for each update
//	junk/lessons.bin     earlier lessons, so that one can be taken back
//
// A training writes state.txt and one file of recent. Now and then these are merged into
// words, and words that were rare for long are forgotten, so that the
// folder stays below about 2 MB. Files of words hold 12 bytes a word: 48 bits of its
// SHA-256, then two counts and the number of the merge that saw it last, big-endian.
//
// Everything is a function of the lessons and their order; two updates at the same time are run again, never merged.
//
// # Caveats
//
// The statistics tell what somebody's mail is about. For mail that must not be readable here, nothing may be taught.
package junk
