// Package unipi serves branches of a repository as websites.
//
// A Site answers every request from one commit: the snapshot is taken once, and
// what a path leads to, its header, its codings and the encoded head of its
// response are prepared when they are first asked for and kept under that
// commit. Sites finds a Site by host name, branches other than main as
// previews. A Server reads HTTP/1.1 and HTTP/2 strictly and with limits, and answers
// from what is prepared; CheckPush says what a push may bring. Follower
// and Webhook are for sites that come from elsewhere.
//
// Everything that a tree, a rule file or a request can hold leads to an answer
// below 500; 503 means that the store could not be read.
//
// # Caveats
//
// Last-Modified is the time of the snapshot's commit, not of the last change of
// the file, which would cost a walk through history for each. It changes
// with every push, so clients should lean on ETag, which is the blob's hash and
// does not. If-Modified-Since counts only when it is exactly the date that was
// sent: branches go back.
//
// A Range is of the file as it is, never of its compressed form; with
// Content-Encoding in play, If-Range decides.
//
// Files above a 32nd of the cache, which is 4 MiB unless it is made larger, and above
// 8 MiB in any case, are not kept in memory and not compressed on the fly. While one of up to
// 8 MiB is sent it is in memory once, for all who read it, as long as such files together take no more
// than Cache.Sending; others come from the store in pieces, for each reader alone.
//
// In _redirects a status is 301 unless it is given, as at Netlify; a file wins over a
// rule without "!". Rules for other hosts, countries, languages and
// roles are reported and left out.
package unipi
