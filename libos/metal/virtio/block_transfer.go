package virtio

// depth is how many requests of one caller are under way at once.
const depth = 4

// A flight is one caller's requests under way, oldest first.
type flight struct {
	block *Block
	ring  [depth]under
	first int
	n     int
}

// An under is a request under way, and whose bytes it reads.
type under struct {
	r    *request
	into []byte
	skip int // bytes of its data before those
}

// take returns a request for the caller's next piece. It waits for one only where the caller
// has none that it could finish instead.
func (f *flight) take() (*request, error) {
	if f.n == 0 {
		return f.block.acquire()
	}
	if f.n < depth {
		select {
		case r := <-f.block.free:
			return r, nil
		default:
		}
	}
	return f.land()
}

func (f *flight) add(u under) {
	f.ring[(f.first+f.n)%depth] = u
	f.n++
}

// land waits for the oldest.
func (f *flight) land() (*request, error) {
	u := f.ring[f.first]
	f.first, f.n = (f.first+1)%depth, f.n-1
	if err := f.block.finish(u.r); err != nil {
		f.block.release(u.r)
		return nil, err
	}
	copy(u.into, u.r.data[u.skip:])
	return u.r, nil
}

// end waits for all, and returns the first error: err, or theirs.
func (f *flight) end(err error) error {
	for f.n > 0 {
		r, e := f.land()
		if e == nil {
			f.block.release(r)
		} else if err == nil {
			err = e
		}
	}
	return err
}

// read fills p from off, which lies on the disk. Where it fails it says that nothing
// was read.
func (b *Block) read(p []byte, off int64) (int, error) {
	f := flight{block: b}
	var err error
	for rest := p; len(rest) > 0 && err == nil; {
		skip := int(off % int64(b.plan.block))
		n := min(len(rest), b.plan.piece-skip)
		var r *request
		if r, err = f.take(); err != nil {
			break
		}
		if err = b.submit(r, typeIn, off-int64(skip), b.wholeBlocks(skip+n)); err != nil {
			b.release(r)
			break
		}
		f.add(under{r, rest[:n], skip})
		rest, off = rest[n:], off+int64(n)
	}
	if err = f.end(err); err != nil {
		return 0, err
	}
	return len(p), nil
}

// wholeBlocks rounds up.
func (b *Block) wholeBlocks(n int) int { return (n + b.plan.block - 1) &^ (b.plan.block - 1) }

// write writes p at off. It writes whole blocks, and around them parts of blocks.
func (b *Block) write(p []byte, off int64) (written int, err error) {
	block := int64(b.plan.block)
	if skip := off % block; skip != 0 {
		n := min(int64(len(p)), block-skip)
		if err := b.writePart(p[:n], off); err != nil {
			return 0, err
		}
		written = int(n)
	}
	whole := (len(p) - written) &^ (b.plan.block - 1)
	if err := b.writeWhole(p[written:written+whole], off+int64(written)); err != nil {
		return written, err
	}
	written += whole
	if written < len(p) {
		if err := b.writePart(p[written:], off+int64(written)); err != nil {
			return written, err
		}
	}
	return len(p), nil
}

// writePart writes within one block.
func (b *Block) writePart(p []byte, off int64) error {
	b.part.Lock()
	defer b.part.Unlock()
	r, err := b.acquire()
	if err != nil {
		return err
	}
	defer b.release(r)
	skip := off % int64(b.plan.block)
	if err := b.do(r, typeIn, off-skip, b.plan.block); err != nil {
		return err
	}
	copy(r.data[skip:], p)
	return b.do(r, typeOut, off-skip, b.plan.block)
}

// writeWhole writes blocks.
func (b *Block) writeWhole(p []byte, off int64) error {
	b.part.RLock()
	defer b.part.RUnlock()
	f := flight{block: b}
	var err error
	for len(p) > 0 && err == nil {
		n := min(len(p), b.plan.piece)
		var r *request
		if r, err = f.take(); err != nil {
			break
		}
		copy(r.data, p[:n])
		if err = b.submit(r, typeOut, off, n); err != nil {
			b.release(r)
			break
		}
		f.add(under{r: r})
		p, off = p[n:], off+int64(n)
	}
	return f.end(err)
}
