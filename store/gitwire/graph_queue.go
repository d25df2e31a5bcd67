package gitwire

// A commitQueue yields commits newest first (a binary heap by date, then by
// the order of discovery).
type commitQueue struct {
	g    *graph
	heap []int32
}

func (q *commitQueue) len() int { return len(q.heap) }

// newest is the date of the commit that pop would return.
func (q *commitQueue) newest() int64 { return q.g.nodes[q.heap[0]].date }

func (q *commitQueue) before(a, b int32) bool {
	da, db := q.g.nodes[a].date, q.g.nodes[b].date
	return da > db || da == db && a < b
}

// push adds a commit that has been loaded.
func (q *commitQueue) push(i int32) {
	q.heap = append(q.heap, i)
	for at := len(q.heap) - 1; at > 0; {
		up := (at - 1) / 2
		if !q.before(q.heap[at], q.heap[up]) {
			break
		}
		q.heap[at], q.heap[up] = q.heap[up], q.heap[at]
		at = up
	}
}

func (q *commitQueue) pop() int32 {
	top, last := q.heap[0], len(q.heap)-1
	q.heap[0] = q.heap[last]
	q.heap = q.heap[:last]
	for at := 0; ; {
		next := 2*at + 1
		if next >= last {
			break
		}
		if next+1 < last && q.before(q.heap[next+1], q.heap[next]) {
			next++
		}
		if !q.before(q.heap[next], q.heap[at]) {
			break
		}
		q.heap[at], q.heap[next] = q.heap[next], q.heap[at]
		at = next
	}
	return top
}
