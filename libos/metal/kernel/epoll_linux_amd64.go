package kernel

// epoll over counters, level- and edge-triggered. Descriptors of the console
// cannot be watched, as files cannot elsewhere.

const (
	epollIn   = 1
	epollOut  = 4
	epollEdge = 1 << 31

	epollAdd    = 1
	epollDelete = 2
	epollModify = 3

	epollEventSize = 12 // events, then the tag, unaligned
)

// sysEpollCtl is epoll_ctl.
func sysEpollCtl(ep int32, op uintptr, fd int32, event uintptr) uintptr {
	if kindOf(ep) != poller || kindOf(fd) == unused {
		return ebadf
	}
	d := &descriptors[fd]
	if d.kind == console || d.kind == poller {
		return eperm
	}
	switch {
	case op == epollAdd && d.watcher >= 0:
		return eexist
	case op != epollAdd && d.watcher != ep:
		return enoent
	case op == epollDelete:
		d.watcher = -1
		return 0
	case op != epollAdd && op != epollModify:
		return einval
	}
	d.watcher = ep
	d.wanted = *p32(event)
	d.tag = *p64(event + 4)
	fdSignal(fd)
	return 0
}

// fdSignal tells who watches fd that it changed.
func fdSignal(fd int32) {
	d := &descriptors[fd]
	d.changed = true
	if d.watcher < 0 {
		return
	}
	for i := 0; i < threadCount; i++ {
		t := threadAt(threads[i])
		if t.state != waits || t.why != waitsEvents || t.epoll != d.watcher {
			continue
		}
		if n := collect(t.epoll, t.events, t.max); n != 0 {
			ready(t, n)
		}
	}
}

// sysEpollWait is epoll_wait and epoll_pwait, without a signal mask. timeout
// is in milliseconds, negative = for ever.
func sysEpollWait(t *thread, ep int32, events, max uintptr, timeout int32) uintptr {
	if kindOf(ep) != poller {
		return ebadf
	}
	if n := collect(ep, events, max); n != 0 || timeout == 0 {
		return n
	}
	var wake int64
	if timeout > 0 {
		wake = nanotime() + int64(timeout)*1_000_000
	}
	t.epoll, t.events, t.max = ep, events, max
	block(t, waitsEvents, wake)
	return 0
}

// collect writes down what happened, at most max events, and returns how many.
func collect(ep int32, events, max uintptr) (n uintptr) {
	for fd := 0; fd < descriptorsUsed && n < max; fd++ {
		d := &descriptors[fd]
		if d.kind == unused || d.watcher != ep {
			continue
		}
		happened := uint32(0)
		if d.kind != interrupts {
			happened = epollOut
		}
		if d.count != 0 {
			happened |= epollIn
		}
		happened &= d.wanted
		if happened == 0 || d.wanted&epollEdge != 0 && !d.changed {
			continue
		}
		d.changed = false
		*p32(events + n*epollEventSize) = happened
		*p64(events + n*epollEventSize + 4) = d.tag
		n++
	}
	return n
}
