package unipi

import (
	"io"
	"io/fs"
	"sync"

	"cairn/store"
)

// A lender keeps files that are too large to be cached, up to maxBody, as long as somebody is
// sent them, so that they are in memory once and not once for each reader, who may be slow.
type lender struct {
	limit int64 // bytes that it may keep
	piece int64 // of what it does not keep, bytes that each reader has in memory

	mu    sync.Mutex
	bytes int64
	loans map[store.Hash]*loan
}

// A loan is one file. It is guarded by the lender but for data and err, which stand when
// read is closed.
type loan struct {
	users int
	size  int64
	read  chan struct{}
	data  []byte
	err   error
}

// borrow returns the content of that hash, reading it if nobody has it. The caller gives it
// back. nil: it does not fit beside what others are sent, or so little of it is wanted that it
// is not worth reading as a whole.
func (l *lender) borrow(hash store.Hash, size, wanted int64, open func() (fs.File, error)) (*loan, error) {
	l.mu.Lock()
	n, there := l.loans[hash]
	if !there {
		if size > min(maxBody, l.limit-l.bytes) || wanted < size/2 {
			l.mu.Unlock()
			return nil, nil
		}
		if l.loans == nil {
			l.loans = map[store.Hash]*loan{}
		}
		n = &loan{size: size, read: make(chan struct{})}
		l.loans[hash] = n
		l.bytes += size
	}
	n.users++
	l.mu.Unlock()
	if there {
		<-n.read
	} else {
		n.fill(open)
	}
	if n.err != nil {
		l.giveBack(hash, n)
		return nil, n.err
	}
	return n, nil
}

// fill reads the content, and lets those know who wait for it, whatever happens.
func (n *loan) fill(open func() (fs.File, error)) {
	defer close(n.read)
	n.err = io.ErrUnexpectedEOF // unless it is read to its end
	f, err := open()
	if err != nil {
		n.err = err
		return
	}
	data := make([]byte, n.size)
	_, err = io.ReadFull(f, data)
	if e := f.Close(); err == nil {
		err = e
	}
	n.data, n.err = data, err
}

// giveBack ends one use. After the last the memory is free.
func (l *lender) giveBack(hash store.Hash, n *loan) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if n.users--; n.users == 0 {
		delete(l.loans, hash)
		l.bytes -= n.size
	}
}
