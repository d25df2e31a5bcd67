package accounts

import (
	"errors"
	"fmt"
	"math"
	"net/netip"
	"sync"
	"time"
)

// ErrBadCredentials is all that somebody who could not log in is told: not
// whether the user, the password or the key was wrong.
var ErrBadCredentials = errors.New("wrong user name or password")

// A RateError says that there were too many wrong guesses; nothing was checked.
type RateError struct {
	After time.Duration // when to try again
}

func (e *RateError) Error() string {
	return fmt.Sprintf("too many attempts: try again in %v", e.After.Round(time.Second))
}

// busyDelay is when to come again if all hash slots are taken.
const busyDelay = 5 * time.Second

// How guessing is slowed down. Every wrong guess counts against the pair of
// address and user, against the address, for IPv6 also against its /48, and
// against the user. Beyond what a tally has free, each further failure doubles
// a wait. An address is a /32 of IPv4 or a /64 of IPv6.
//
// The user's tally, which attackers at other addresses can fill, never makes
// anybody wait: it only lowers the free guesses of addresses from which this user
// has not logged in before, to one. So whoever knows the password and types it
// right gets in from any address that has not itself been guessing.
const (
	pairFree    = 5
	addressFree = 30
	networkFree = 300 // a /48 of IPv6
	userFree    = 50
	firstWait   = time.Second
	attackWait  = 30 * time.Second // firstWait for strangers while a user is under attack
	maxWait     = 15 * time.Minute
	forgetAfter = time.Hour // since the last failure
	maxTallies  = 1 << 15
)

// A tally counts failures.
type tally struct {
	failures int
	last     time.Time // when the last one was
	charge   uint64    // which one that was
	until    time.Time // nothing is checked before
	known    bool      // of a pair: has logged in since the process started
}

// A subject is what failures are counted against.
type subject struct {
	kind kind
	from netip.Prefix
	user string
}

type kind byte

const (
	aPair kind = iota
	anAddress
	aNetwork
	aUser
)

// free is how many failures cost no wait; a user's never do.
var free = map[kind]int{aPair: pairFree, anAddress: addressFree, aNetwork: networkFree, aUser: math.MaxInt}

// A limiter holds the tallies, those of at least maxTallies subjects.
type limiter struct {
	mu      sync.Mutex
	tallies *recent[subject, tally]
	charges uint64
}

func newLimiter() *limiter { return &limiter{tallies: newRecent[subject, tally](maxTallies)} }

// wait returns how long nothing may be tried, 0 for not at all.
func (l *limiter) wait(from netip.Addr, user string) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.longest(subjects(from, user), time.Now())
}

// A charge is a try that has been counted.
type charge struct {
	number   uint64
	subjects []subject
	before   []tally
}

// take is wait, and when nothing stands against a try counts it as a failure at
// once, so that many at the same moment do not all pass.
func (l *limiter) take(from netip.Addr, user string) (charge, time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	l.charges++
	c := charge{number: l.charges, subjects: subjects(from, user)}
	if wait := l.longest(c.subjects, now); wait > 0 {
		return c, wait
	}
	attacked := l.at(subject{kind: aUser, user: user}, now).failures >= userFree
	for _, s := range c.subjects {
		t := l.at(s, now)
		c.before = append(c.before, t)
		free, wait := free[s.kind], firstWait
		if attacked && s.kind == aPair && !t.known {
			free, wait = 1, attackWait
		}
		t.failures++
		t.last, t.charge = now, c.number
		if over := t.failures - free; over >= 0 {
			t.until = now.Add(min(wait<<min(over, 20), maxWait))
		}
		l.tallies.put(s, t)
	}
	return c, 0
}

// forgive takes a charge back: the password was right. Failures that were
// counted since, and their waits, stay.
func (l *limiter) forgive(c charge) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i, s := range c.subjects {
		t := l.at(s, time.Now())
		if t.charge == c.number {
			t = c.before[i]
		} else {
			t.failures = max(0, t.failures-1)
		}
		l.tallies.put(s, t)
	}
}

// welcome is forgive after a log-in: mistakes made on the way to it are
// forgotten.
func (l *limiter) welcome(c charge) {
	l.forgive(c)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.tallies.put(c.subjects[0], tally{known: true})
}

// longest is the longest of the waits that stand against a try. What others guess
// from the same address is no matter for who has logged in from there before.
func (l *limiter) longest(all []subject, now time.Time) time.Duration {
	if l.at(all[0], now).known {
		all = all[:1]
	}
	var wait time.Duration
	for _, s := range all {
		wait = max(wait, l.at(s, now).until.Sub(now))
	}
	return wait
}

func (l *limiter) at(s subject, now time.Time) tally {
	t, _ := l.tallies.get(s)
	if now.Sub(t.last) > forgetAfter {
		t = tally{known: t.known}
	}
	return t
}

// subjects lists what a try counts against, the pair of address and user first.
// What is not an address counts as one.
func subjects(from netip.Addr, user string) []subject {
	from = from.Unmap().WithZone("")
	bits := 32
	if from.Is6() {
		bits = 64
	}
	address, _ := from.Prefix(bits)
	all := []subject{{aPair, address, user}, {kind: anAddress, from: address}, {kind: aUser, user: user}}
	if from.Is6() {
		network, _ := from.Prefix(48)
		all = append(all, subject{kind: aNetwork, from: network})
	}
	return all
}
