package remote

import (
	"cmp"
	"slices"
	"time"
)

// A Status is how a Backend is doing.
type Status struct {
	Away    time.Time       // since when the host is away; zero when it is there
	Contact time.Time       // when it answered last; zero when it never has
	Current time.Time       // when reads were last known to see all that is there
	Err     error           // why the host is away or cannot be followed
	Rewound []*RewoundError // refs that are not followed, by name
	Refs    int
	Unsure  int   // refs of a Commit that has ended in doubt
	Bytes   int64 // of memory that objects take
	Kept    int   // packs that were received and have not reached the host
}

// Status returns how the Backend is doing now.
func (b *Backend) Status() Status {
	b.mu.RLock()
	defer b.mu.RUnlock()
	s := Status{
		Away: b.away, Contact: b.contact, Current: b.current, Err: b.problem,
		Refs: len(b.refs), Unsure: len(b.unsure), Kept: len(b.kept),
		Bytes: b.objects.Used(),
	}
	switch {
	case !b.away.IsZero():
		s.Err = b.awayErr
	case b.waiting:
		s.Current = time.Now()
	}
	for _, r := range b.rewound {
		s.Rewound = append(s.Rewound, r)
	}
	slices.SortFunc(s.Rewound, func(a, b *RewoundError) int { return cmp.Compare(a.Ref, b.Ref) })
	return s
}
