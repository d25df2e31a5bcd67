package shelf

import "errors"

// ErrQuota says that somebody has no room left (RFC 4331).
var ErrQuota = errors.New("there is no room left")

// Usage sums up everything that a person has.
func (s *Snapshot) Usage() (Usage, error) { return usage(s.Collections) }

// Usage is Snapshot.Usage after what was changed.
func (e *Edit) Usage() (Usage, error) { return usage(e.Collections) }

func usage(collections func(Kind) ([]*Collection, error)) (sum Usage, err error) {
	for _, kind := range Kinds {
		list, err := collections(kind)
		if err != nil {
			return sum, err
		}
		for _, c := range list {
			if c.born != nil {
				continue // it takes no room
			}
			u, err := c.Usage()
			if err != nil {
				return sum, err
			}
			sum.Bytes += u.Bytes
			sum.Count += u.Count
		}
	}
	return sum, nil
}

// Quota is how many bytes a person may have; 0: no limit.
func (s *Shelf) Quota() int64 { return s.o.Quota }

// checkQuota refuses what makes more of too much.
func (e *Edit) checkQuota() error {
	if e.shelf.o.Quota == 0 {
		return nil
	}
	after, err := e.Usage()
	if err != nil || after.Bytes <= e.shelf.o.Quota {
		return err
	}
	before, err := e.Snapshot.Usage()
	if err == nil && after.Bytes > before.Bytes {
		err = ErrQuota
	}
	return err
}
