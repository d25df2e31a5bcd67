package accounts

// A recent is a map that holds the n to 2n keys used last: when the young half
// is full, it becomes the old half and what was old is forgotten. Not safe for
// concurrent use.
type recent[K comparable, V any] struct {
	n          int
	young, old map[K]V
}

func newRecent[K comparable, V any](n int) *recent[K, V] {
	return &recent[K, V]{n: n, young: map[K]V{}}
}

func (r *recent[K, V]) get(k K) (V, bool) {
	v, ok := r.young[k]
	if ok {
		return v, true
	}
	if v, ok = r.old[k]; ok {
		r.put(k, v)
	}
	return v, ok
}

func (r *recent[K, V]) put(k K, v V) {
	if len(r.young) >= r.n {
		r.young, r.old = make(map[K]V, r.n/4), r.young
	}
	r.young[k] = v
}
