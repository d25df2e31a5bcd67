package virtio

import (
	"fmt"
	"sync/atomic"
)

// A life is how long a driver uses its device: until it is closed, or the device
// fails, whichever is first.
type life struct {
	dev   Device
	ended atomic.Pointer[error]
	seen  atomic.Uint32 // the device's Changes when last looked at
}

// end ends it for that reason, and stops the device.
func (l *life) end(why error) error {
	if !l.ended.CompareAndSwap(nil, &why) {
		return nil
	}
	return l.dev.Close()
}

// fail ends it because of what the device did, and says what there is to be said to
// whoever called: that, or why it ended before.
func (l *life) fail(why error) error {
	l.end(why)
	return *l.ended.Load()
}

// err is nil while the device can be used.
func (l *life) err() error {
	if why := l.ended.Load(); why != nil {
		return *why
	}
	return nil
}

// wait waits for an interrupt for queue q.
func (l *life) wait(q *queue) error {
	if err := l.err(); err != nil {
		return err
	}
	if err := l.dev.Wait(q.number); err != nil {
		return l.fail(fmt.Errorf("%s: wait for an interrupt: %w", l.dev.Name(), err))
	}
	return nil
}

// changed reports whether the device's configuration has changed since it was last
// asked. A device that is broken says so by such a change (virtio 1.2, 2.1.2).
func (l *life) changed() (bool, error) {
	now := l.dev.Changes()
	if l.seen.Load() == now || l.seen.Swap(now) == now {
		return false, l.err()
	}
	if l.dev.Broken() {
		return true, l.fail(fmt.Errorf("%s gave up and asks to be reset", l.dev.Name()))
	}
	return true, l.err()
}
