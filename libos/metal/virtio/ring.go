package virtio

import "fmt"

// offer puts the chain that begins with descriptor head into the ring. The device sees
// it with the next kick.
func (q *queue) offer(head uint16) {
	q.ring[q.next&q.mask] = head
	q.given[head] = true
	q.out++
	q.next++
}

// waiting is how many offers the device has not been told of.
func (q *queue) waiting() int { return int(q.next - q.told) }

// kick shows the device what has been offered, and notifies it if it wants that. Notifying
// is dear: it leaves the virtual machine.
func (q *queue) kick() {
	if q.next == q.told {
		return
	}
	q.publish()
	fence()
	if q.wanted() {
		q.dev.Notify(q.number)
	}
	q.told = q.next
}

func (q *queue) publish() { q.avail.Store(uint32(q.next)<<16 | q.quiet) }

// wanted reports whether the device wants to hear of the offers since told
// (virtio 1.2, 2.7.10).
func (q *queue) wanted() bool {
	if q.event {
		return q.next-uint16(q.availEvent.Load())-1 < q.next-q.told
	}
	return q.used[0].Load()&noNotify == 0
}

// take returns the head of the next chain that the device has used, and how many bytes
// it says it has written there.
func (q *queue) take() (head uint16, n uint32, ok bool, err error) {
	if q.seen == q.known {
		index := q.index()
		if index == q.known {
			return 0, 0, false, nil
		}
		if jump := int(index - q.known); jump > q.out {
			return 0, 0, false, q.misbehaves("its index of used buffers went from %d to %d while it had %d buffers", q.known, index, q.out)
		}
		q.known = index
	}
	entry := 1 + 2*int(q.seen&q.mask)
	id, n := q.used[entry].Load(), q.used[entry+1].Load()
	if id >= uint32(q.size) || !q.given[id] {
		return 0, 0, false, q.misbehaves("it used buffer %d, which it did not have", id)
	}
	q.given[id] = false
	q.out--
	q.seen++
	return uint16(id), n, true, nil
}

func (q *queue) index() uint16 { return uint16(q.used[0].Load() >> 16) }

// arm asks for an interrupt when the device has used n more chains (or, where event
// indexes are not spoken, one). It reports false when that is so already: then there might be
// no interrupt.
func (q *queue) arm(n int) bool {
	if q.event {
		q.usedEvent.Store(uint32(q.seen + uint16(n) - 1))
	} else {
		q.quiet = 0
		q.publish()
	}
	fence()
	return int(q.index()-q.seen) < n
}

// disarm wants no interrupts. With event indexes there is none until the device has gone
// all around, since what arm asked for is past.
func (q *queue) disarm() {
	if !q.event {
		q.quiet = noInterrupt
	}
}

func (q *queue) misbehaves(format string, args ...any) error {
	return fmt.Errorf("%s misbehaves on queue %d: %s", q.dev.Name(), q.number, fmt.Sprintf(format, args...))
}
