package kernel

// Changes to pages of the program that are there already.

// A pageRun walks over the entries for the addresses from va to end that are not
// empty, skipping quickly what has no tables.
type pageRun struct {
	va, end uintptr
	changed uintptr // entries that next has returned
}

// next returns the next entry that is not empty, of a page (shift 12) or of a page
// table (21); nil at the end. It is the one for the addresses just below va.
func (r *pageRun) next(shift uint) *uint64 {
	for r.va < r.end {
		table := root
		for s := uint(39); ; s -= 9 {
			e := tableEntry(table, r.va, s)
			if s == shift || *e == 0 {
				r.va = (r.va>>s + 1) << s
				if *e != 0 {
					r.changed++
					return e
				}
				break
			}
			table = uintptr(*e & pteFrame)
		}
	}
	return nil
}

// flushOneByOne is how many pages are forgotten one by one; more are forgotten all at once.
const flushOneByOne = 32

// flushPage forgets the translation of the page that next returned last, unless there are too many.
func (r *pageRun) flushPage() {
	if r.changed <= flushOneByOne {
		invlpg(r.va - pageSize)
	}
}

func (r *pageRun) flushRest() {
	if r.changed > flushOneByOne {
		flushAll()
	}
}

// flushAll forgets all translations but those of the image and the direct map.
func flushAll() { writeCR3(uint64(root)) }

// unmapPages takes the pages from start to end away, and frees their frames and the
// tables that are empty for sure.
func unmapPages(start, end uintptr) {
	r := pageRun{va: start, end: end}
	for e := r.next(12); e != nil; e = r.next(12) {
		f := uintptr(*e & pteFrame)
		*e = 0
		r.flushPage()
		frameFree(f)
	}
	r.flushRest()

	r = pageRun{va: (start + largeSize - 1) &^ (largeSize - 1), end: end &^ (largeSize - 1)}
	for e := r.next(21); e != nil; e = r.next(21) {
		f := uintptr(*e & pteFrame)
		*e = 0
		frameFree(f)
		tableFrames--
	}
	if r.changed != 0 {
		flushAll()
	}
}

// protectPages gives the pages from start to end that are there other bits.
func protectPages(start, end uintptr, bits uint64) {
	r := pageRun{va: start, end: end}
	for e := r.next(12); e != nil; e = r.next(12) {
		*e = *e&pteFrame | bits
		r.flushPage()
	}
	r.flushRest()
}
