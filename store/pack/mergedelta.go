package pack

import "cairn/store/object"

// maxDelta is the largest object that Merge makes a delta of.
const maxDelta = 16 << 20

// A candidate is a delta that object i could be.
type candidate struct {
	base   int
	depth  uint8 // of the result
	size   int64
	stream []byte
}

// cost spreads a delta's bytes over the object and those that may follow in its chain.
func (c *candidate) cost() float64 {
	return float64(len(c.stream)) / float64(MaxDepth-c.depth+1)
}

// bestDelta makes a delta on base. When the chain is too long for that, it
// looks further up the chain: a delta over several versions, from which the next ones
// can go on, takes less than a whole object.
func (m *merger) bestDelta(o object.Object, base int) (best candidate, err error) {
	if m.depth[base] < MaxDepth {
		best, err = m.delta(o, base)
		best.depth = 0 // a short delta is fine at any depth
		return best, err
	}
	const steps = 5
	for below := MaxDepth - MaxDepth/steps; below > 0; below -= MaxDepth / steps {
		for int(m.depth[base]) > below {
			base = int(m.base[base]) - 1
		}
		c, err := m.delta(o, base)
		if err != nil {
			return best, err
		}
		if c.stream != nil && (best.stream == nil || c.cost() < best.cost()) {
			best = c
		}
	}
	return best, nil
}

// delta returns no stream when the two have little in common.
func (m *merger) delta(o object.Object, base int) (candidate, error) {
	b, err := m.content(base)
	if err != nil {
		return candidate{}, err
	}
	if b.Type != o.Type || len(b.Data) > maxDelta {
		return candidate{}, nil
	}
	delta := Delta(b.Data, o.Data)
	if len(delta) >= len(o.Data) {
		return candidate{}, nil
	}
	return candidate{base, m.depth[base] + 1, int64(len(delta)), deflate(nil, delta, m.w.level)}, nil
}
