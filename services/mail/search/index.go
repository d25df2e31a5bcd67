package search

import "sync"

// A Key names the bytes of a message, as their hash does.
type Key [20]byte

// An Index remembers signatures of messages, within a bound. Safe for concurrent use.
type Index struct {
	max int // bytes

	mu     sync.RWMutex // guards all below
	refs   map[Key]ref
	chunks []*chunk
	free   []uint32 // indexes into chunks of those that were thrown away
	fill   uint32   // the chunk that is being filled
	dice   uint64
}

// A ref says where a signature lies.
type ref struct {
	chunk  uint32
	offset uint16 // in words
	words  uint16
}

// A chunk is room for signatures. Its words are written before their ref is, and never changed.
type chunk struct {
	words [chunkWords]uint64
	used  int
}

const (
	chunkWords = 8 << 10
	chunkBytes = 8 * chunkWords
	refBytes   = 48 // what a ref and its key take in the map, about
)

// New returns an empty index of at most so many bytes, but no less than a few chunks of 64 KiB. When it is
// full, what is thrown away for something new is chosen by lot: a mailbox larger
// than the index has part of the use then.
func New(maxBytes int) *Index {
	return &Index{max: max(maxBytes, 4*chunkBytes), refs: map[Key]ref{}, dice: 1}
}

// Add makes a message known, as a search does that reads it.
func (x *Index) Add(key Key, raw []byte) {
	if x.has(key) {
		return
	}
	x.put(key, sign(&document{raw: raw}))
}

// Len returns how many messages the index knows.
func (x *Index) Len() int {
	x.mu.RLock()
	defer x.mu.RUnlock()
	return len(x.refs)
}

// Bytes returns how much memory the index takes, about.
func (x *Index) Bytes() int {
	x.mu.RLock()
	defer x.mu.RUnlock()
	return x.bytes()
}

func (x *Index) bytes() int {
	return (len(x.chunks)-len(x.free))*chunkBytes + len(x.refs)*refBytes
}

func (x *Index) has(key Key) bool {
	x.mu.RLock()
	defer x.mu.RUnlock()
	_, ok := x.refs[key]
	return ok
}

// signature returns the signature of a message, which nobody changes. The caller holds mu.
func (x *Index) signature(key Key) (signature, bool) {
	r, ok := x.refs[key]
	if !ok {
		return nil, false
	}
	return x.chunks[r.chunk].words[r.offset : r.offset+r.words], true
}

// put stores a signature.
func (x *Index) put(key Key, s signature) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if _, ok := x.refs[key]; ok {
		return
	}
	if len(x.chunks) == 0 || x.chunks[x.fill].used+len(s) > chunkWords {
		x.grow()
	}
	c := x.chunks[x.fill]
	copy(c.words[c.used:], s)
	x.refs[key] = ref{x.fill, uint16(c.used), uint16(len(s))}
	c.used += len(s)
}

// grow begins a new chunk, and makes room for it if it has to.
func (x *Index) grow() {
	for x.bytes()+chunkBytes > x.max && len(x.refs) > 0 {
		x.drop()
	}
	if n := len(x.free); n > 0 {
		x.fill, x.free = x.free[n-1], x.free[:n-1]
	} else {
		x.chunks = append(x.chunks, nil)
		x.fill = uint32(len(x.chunks) - 1)
	}
	x.chunks[x.fill] = &chunk{}
}

// drop throws away one chunk, whichever.
func (x *Index) drop() {
	victim := uint32(0)
	for {
		x.dice ^= x.dice << 13
		x.dice ^= x.dice >> 7
		x.dice ^= x.dice << 17
		if victim = uint32(x.dice % uint64(len(x.chunks))); x.chunks[victim] != nil {
			break
		}
	}
	for key, r := range x.refs {
		if r.chunk == victim {
			delete(x.refs, key)
		}
	}
	x.chunks[victim] = nil
	x.free = append(x.free, victim)
}
