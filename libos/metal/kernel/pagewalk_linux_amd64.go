package kernel

// Changes to pages of the program that are there already.

// A pageRun walks over the entries of the pages from va to end that are not
// empty, skipping quickly what has no tables.
type pageRun struct {
	va, end uintptr
	changed uintptr // pages that next has returned
}

// next returns the next entry that is not empty, nil at the end. The address is va-pageSize.
func (r *pageRun) next() *uint64 {
	for r.va < r.end {
		table := root
		for s := uint(39); ; s -= 9 {
			e := tableEntry(table, r.va, s)
			if s == 12 {
				r.va += pageSize
				if *e != 0 {
					r.changed++
					return e
				}
				break
			}
			if *e == 0 {
				r.va = (r.va>>s + 1) << s
				break
			}
			table = uintptr(*e & pteFrame)
		}
	}
	return nil
}

// flushPage forgets the translation of the page that next returned last; when
// there are many, flushAll is cheaper.
func (r *pageRun) flushPage() {
	if r.changed <= flushOneByOne {
		invlpg(r.va - pageSize)
	}
}

func (r *pageRun) flushAll() {
	if r.changed > flushOneByOne {
		writeCR3(uint64(root))
	}
}

const flushOneByOne = 32

// unmapPages takes the pages from start to end away and frees their frames.
func unmapPages(start, end uintptr) {
	r := pageRun{va: start, end: end}
	for e := r.next(); e != nil; e = r.next() {
		f := uintptr(*e & pteFrame)
		*e = 0
		r.flushPage()
		frameFree(f)
	}
	r.flushAll()
}

// protectPages gives the pages from start to end that are there other bits.
func protectPages(start, end uintptr, bits uint64) {
	r := pageRun{va: start, end: end}
	for e := r.next(); e != nil; e = r.next() {
		*e = *e&pteFrame | bits
		r.flushPage()
	}
	r.flushAll()
}
