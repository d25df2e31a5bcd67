package kernel

// What the machine says of its memory may be unsorted, may overlap itself and
// may be more than anybody expects. A frameMap is what is left of it: RAM that
// nobody else lays claim to, as sorted ranges that neither overlap nor touch.

const (
	maxRanges = 64
	maxMemory = 1 << 46 // physical memory that the direct map has room for; RAM above is left alone

	mapEntry = 24 // bytes of an entry of a PVH memory map: start, size, type
	ramType  = 1  // all other types are somebody else's
)

// A frameRange is RAM from start to end (exclusive), both physical addresses and
// multiples of the page size.
type frameRange struct{ start, end uintptr }

type frameMap struct {
	n      int
	ranges [maxRanges]frameRange
}

// add says that RAM lies from start to end; of the pages at the edges only whole
// ones count. It returns false, and changes nothing, if the map has too many
// pieces to remember another.
func (m *frameMap) add(start, end uintptr) bool {
	start, end = pageUpLimited(start), pageDown(end)
	if start >= end {
		return true
	}
	// [i,j) are the ranges that overlap or touch the new one.
	i := 0
	for i < m.n && m.ranges[i].end < start {
		i++
	}
	j := i
	for j < m.n && m.ranges[j].start <= end {
		start = min(start, m.ranges[j].start)
		end = max(end, m.ranges[j].end)
		j++
	}
	return m.replace(i, j, frameRange{start, end}, frameRange{})
}

// remove says that the bytes from start to end are taken; a page that holds one of
// them is taken whole. When the map has too many pieces to remember the two
// parts of a range, the smaller is lost, and remove returns false.
func (m *frameMap) remove(start, end uintptr) bool {
	if start >= end {
		return true
	}
	start, end = pageDown(start), pageUpLimited(end)
	i := 0
	for i < m.n && m.ranges[i].end <= start {
		i++
	}
	j := i
	var below, above frameRange
	for j < m.n && m.ranges[j].start < end {
		r := m.ranges[j]
		if r.start < start {
			below = frameRange{r.start, start}
		}
		if r.end > end {
			above = frameRange{end, r.end}
		}
		j++
	}
	if m.replace(i, j, below, above) {
		return true
	}
	if below.end-below.start < above.end-above.start {
		below = above
	}
	m.replace(i, j, below, frameRange{})
	return false
}

// replace puts a and b, those of them that are not empty, in the place of ranges [i,j).
func (m *frameMap) replace(i, j int, a, b frameRange) bool {
	if a.start == a.end {
		a, b = b, a
	}
	count := 0
	if a.start != a.end {
		count++
	}
	if b.start != b.end {
		count++
	}
	n := m.n - (j - i) + count
	if n > maxRanges {
		return false
	}
	copy(m.ranges[i+count:n], m.ranges[j:m.n])
	if count > 0 {
		m.ranges[i] = a
	}
	if count > 1 {
		m.ranges[i+1] = b
	}
	m.n = n
	return true
}

// read adds the RAM of a PVH memory map, count entries at address at, and then takes away
// what is not RAM: that wins where entries overlap. It returns false if some RAM
// could not be remembered.
func (m *frameMap) read(at, count uintptr) (all bool) {
	all = true
	for _, wantRAM := range [...]bool{true, false} {
		for e := at; e < at+count*mapEntry; e += mapEntry {
			start, end := uintptr(*p64(e)), uintptr(*p64(e))+uintptr(*p64(e + 8))
			if end < start {
				end = ^uintptr(0)
			}
			isRAM := *p32(e + 16) == ramType
			switch {
			case isRAM && wantRAM:
				all = m.add(start, min(end, maxMemory)) && all
			case !isRAM && !wantRAM:
				all = m.remove(start, end) && all
			}
		}
	}
	return all
}

// trim drops ranges so far up that the table of frames would take more than 1/64 of the RAM
// there is. It returns false if it had to.
func (m *frameMap) trim() (all bool) {
	all = true
	for m.n > 1 && frameTableSize(m.end()) > m.total()/64 {
		m.n--
		all = false
	}
	return all
}

// holds tells whether all from start to end is RAM.
func (m *frameMap) holds(start, end uintptr) bool {
	for i := range m.n {
		if m.ranges[i].start <= start && end <= m.ranges[i].end {
			return true
		}
	}
	return false
}

// total is the number of bytes of RAM in the map.
func (m *frameMap) total() (sum uintptr) {
	for i := range m.n {
		sum += m.ranges[i].end - m.ranges[i].start
	}
	return sum
}

// end is the first address above all RAM.
func (m *frameMap) end() uintptr {
	if m.n == 0 {
		return 0
	}
	return m.ranges[m.n-1].end
}

func pageDown(a uintptr) uintptr { return a &^ (pageSize - 1) }

// pageUp rounds a up; an address in the last page of all becomes 0.
func pageUp(a uintptr) uintptr { return (a + pageSize - 1) &^ (pageSize - 1) }

// pageUpLimited rounds a up, an address in the last page of all down.
func pageUpLimited(a uintptr) uintptr {
	if up := pageUp(a); up != 0 || a == 0 {
		return up
	}
	return pageDown(a)
}
