package lazy

import (
	"container/list"
	"sync"

	"cairn/store/object"
)

// plainShare is which part of the memory unpacked objects may take.
const plainShare = 8

// plainBytes is what an unpacked object costs beside its data.
const plainBytes = 200

// A plain keeps trees, and objects that deltas apply to, unpacked, those that were
// used last. Safe for concurrent use.
type plain struct {
	mu    sync.Mutex
	max   int64
	used  int64
	items map[*item]*list.Element
	order *list.List // of plainItem, the one used last in front
}

type plainItem struct {
	of   *item
	data []byte
}

func (p *plainItem) cost() int64 { return int64(cap(p.data)) + plainBytes }

func newPlain(bytes int64) *plain {
	return &plain{max: bytes, items: make(map[*item]*list.Element), order: list.New()}
}

// find returns what an item holds, or nil.
func (p *plain) find(it *item) []byte {
	p.mu.Lock()
	defer p.mu.Unlock()
	e := p.items[it]
	if e == nil {
		return nil
	}
	p.order.MoveToFront(e)
	return e.Value.(*plainItem).data
}

// add keeps data unless it is a blob that is no base, or nearly all others would have to go.
func (p *plain) add(it *item, data []byte, base bool) {
	n := &plainItem{it, data}
	if it.typ == object.TypeBlob && !base || n.cost() > p.max*3/4 || len(data) == 0 {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.items[it] != nil {
		return
	}
	p.items[it] = p.order.PushFront(n)
	for p.used += n.cost(); p.used > p.max; {
		p.remove(p.order.Back())
	}
}

func (p *plain) forget(it *item) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if e := p.items[it]; e != nil {
		p.remove(e)
	}
}

func (p *plain) remove(e *list.Element) {
	n := p.order.Remove(e).(*plainItem)
	delete(p.items, n.of)
	p.used -= n.cost()
}
