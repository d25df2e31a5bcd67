package imap

import (
	"cmp"
	"fmt"
	"iter"
	"math"
	"slices"
	"strconv"

	"github.com/emersion/go-imap/v2"
)

// A numbers is a set of sequence numbers or UIDs as a client writes it. In a range the
// lower end comes first; star is the highest number there is.
type numbers struct {
	ranges []numRange
	saved  bool // "$": what the last SEARCH saved (RFC 5182)
}

type numRange struct{ low, high uint32 }

// star stands for "*": the highest number there is.
const star = math.MaxUint32

// set reads a sequence-set.
func (s *scanner) set() (numbers, error) {
	var set numbers
	if s.is('$') {
		return numbers{saved: true}, nil
	}
	for {
		low, err := s.nzNumber()
		if err != nil {
			return set, err
		}
		high := low
		if s.is(':') {
			if high, err = s.nzNumber(); err != nil {
				return set, err
			}
		}
		set.ranges = append(set.ranges, numRange{min(low, high), max(low, high)})
		if !s.is(',') {
			break
		}
	}
	set.tidy()
	return set, nil
}

func (s *scanner) nzNumber() (uint32, error) {
	if s.is('*') {
		return star, nil
	}
	n, err := s.number(math.MaxUint32)
	if err != nil || n == 0 {
		return 0, expected("a set of message numbers")
	}
	return noStar(uint32(n)), nil
}

// noStar is a number that a client has written. The highest there is, which no message has, means star here.
func noStar(n uint32) uint32 { return min(n, star-1) }

// tidy sorts the ranges and joins those that touch.
func (n *numbers) tidy() {
	slices.SortFunc(n.ranges, func(a, b numRange) int { return cmp.Compare(a.low, b.low) })
	joined := n.ranges[:0]
	for _, r := range n.ranges {
		if k := len(joined) - 1; k >= 0 && (joined[k].high == star || r.low <= joined[k].high+1) {
			joined[k].high = max(joined[k].high, r.high)
			continue
		}
		joined = append(joined, r)
	}
	n.ranges = joined
}

// String writes a set as it stands in responses; "" if it is empty.
func (n numbers) String() string { return string(n.append(nil)) }

func (n numbers) append(b []byte) []byte {
	for i, r := range n.ranges {
		if i > 0 {
			b = append(b, ',')
		}
		b = strconv.AppendUint(b, uint64(r.low), 10)
		if r.high != r.low {
			b = strconv.AppendUint(append(b, ':'), uint64(r.high), 10)
		}
	}
	return b
}

// add appends a number that is greater than all that are there.
func (n *numbers) add(v uint32) {
	if k := len(n.ranges) - 1; k >= 0 && n.ranges[k].high+1 == v {
		n.ranges[k].high = v
		return
	}
	n.ranges = append(n.ranges, numRange{v, v})
}

// all yields the numbers of a set that has no star.
func (n numbers) all() iter.Seq[uint32] {
	return func(yield func(uint32) bool) {
		for _, r := range n.ranges {
			for v := uint64(r.low); v <= uint64(r.high); v++ {
				if !yield(uint32(v)) {
					return
				}
			}
		}
	}
}

// fromLibrary is a set that the library has read.
func fromLibrary(set imap.NumSet) (n numbers, uid bool) {
	if imap.IsSearchRes(set) {
		return numbers{saved: true}, true
	}
	one := func(v uint32) uint32 { // the library writes 0 for "*"
		if v == 0 {
			return star
		}
		return noStar(v)
	}
	switch set := set.(type) {
	case imap.SeqSet:
		for _, r := range set {
			n.ranges = append(n.ranges, numRange{one(r.Start), one(r.Stop)})
		}
	case imap.UIDSet:
		for _, r := range set {
			n.ranges = append(n.ranges, numRange{one(uint32(r.Start)), one(uint32(r.Stop))})
		}
		uid = true
	default:
		panic(fmt.Sprintf("set of type %T", set))
	}
	n.tidy()
	return n, uid
}

// toLibrary is the set as the library writes it.
func (n numbers) toLibrary() imap.UIDSet {
	var set imap.UIDSet
	for _, r := range n.ranges {
		set = append(set, imap.UIDRange{Start: imap.UID(r.low), Stop: imap.UID(r.high)})
	}
	return set
}
