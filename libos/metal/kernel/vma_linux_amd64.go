package kernel

// The address space of the program is a sorted list of areas that do not overlap.
// Neighbours of the same protection are one area, so that the many small
// mappings which the Go runtime makes side by side cost nothing.

// Protections, as mmap(2) has them.
const (
	protRead  = 1
	protWrite = 2
	protExec  = 4
)

// maxAreas bounds the list; a Go program with a big heap has some tens.
const maxAreas = 1024

// An area is a range of pages of one protection. Both words are addresses of
// pages; the protection is in the low bits of the first.
type area struct{ startProt, end uintptr }

func (a *area) start() uintptr { return pageDown(a.startProt) }
func (a *area) prot() uint32   { return uint32(a.startProt & (pageSize - 1)) }

type areaList struct {
	n     int
	areas [maxAreas]area
}

// space is the program's address space.
var space areaList

// find returns the index of the first area that ends above a.
func (l *areaList) find(a uintptr) int {
	lo, hi := 0, l.n
	for lo < hi {
		mid := int(uint(lo+hi) / 2)
		if l.areas[mid].end > a {
			hi = mid
		} else {
			lo = mid + 1
		}
	}
	return lo
}

// at returns the area that holds address a, nil if none does.
func (l *areaList) at(a uintptr) *area {
	i := l.find(a)
	if i == l.n || l.areas[i].start() > a {
		return nil
	}
	return &l.areas[i]
}

// vacant says whether no area overlaps the range from start to end.
func (l *areaList) vacant(start, end uintptr) bool {
	i := l.find(start)
	return i == l.n || l.areas[i].start() >= end
}

// covered says whether areas cover the range from start to end without a hole.
func (l *areaList) covered(start, end uintptr) bool {
	for i := l.find(start); start < end; i++ {
		if i == l.n || l.areas[i].start() > start {
			return false
		}
		start = l.areas[i].end
	}
	return true
}

// gap returns the lowest start of n vacant bytes between low and high, 0 if there is none.
func (l *areaList) gap(n, low, high uintptr) uintptr {
	for i := l.find(low); low+n <= high && low+n > low; i++ {
		if i == l.n || low+n <= l.areas[i].start() {
			return low
		}
		low = max(low, l.areas[i].end)
	}
	return 0
}

// set makes the range from start to end one of protection prot, whatever was there
// before. It returns false, and changes nothing, if the list is full.
func (l *areaList) set(start, end uintptr, prot uint32) bool {
	return l.replace(start, end, area{start | uintptr(prot), end})
}

// clear makes the range from start to end vacant. It returns false, and changes
// nothing, if the list is full.
func (l *areaList) clear(start, end uintptr) bool {
	return l.replace(start, end, area{})
}

// replace puts middle, unless it is empty, in the place of all that lies from start to end.
func (l *areaList) replace(start, end uintptr, middle area) bool {
	// [i,j) are the areas that overlap the range; what sticks out of it stays.
	i := l.find(start)
	j := i
	var below, above area
	for ; j < l.n && l.areas[j].start() < end; j++ {
		a := l.areas[j]
		if a.start() < start {
			below = area{a.startProt, start}
		}
		if a.end > end {
			above = area{end | uintptr(a.prot()), a.end}
		}
	}
	if below.end == 0 && i > 0 && l.areas[i-1].end == start {
		i--
		below = l.areas[i]
	}
	if above.end == 0 && j < l.n && l.areas[j].start() == end {
		above = l.areas[j]
		j++
	}
	var parts [3]area
	n := 0
	for _, a := range [...]area{below, middle, above} {
		switch {
		case a.end == 0:
		case n > 0 && parts[n-1].end == a.start() && parts[n-1].prot() == a.prot():
			parts[n-1].end = a.end
		default:
			parts[n] = a
			n++
		}
	}
	return l.splice(i, j, n, &parts)
}

// splice puts the first n of parts in the place of areas [i,j).
func (l *areaList) splice(i, j, n int, parts *[3]area) bool {
	total := l.n - (j - i) + n
	if total > maxAreas {
		return false
	}
	copy(l.areas[i+n:total], l.areas[j:l.n])
	copy(l.areas[i:i+n], parts[:n])
	l.n = total
	return true
}
