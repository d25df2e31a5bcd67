package pack

import "io"

// A byteReader is what a delta is read from when it is not all in memory.
type byteReader interface {
	io.Reader
	io.ByteReader
}

func readDeltaSize(r io.ByteReader) (size int64, err error) {
	for shift := 0; shift < 63; shift += 7 {
		c, err := r.ReadByte()
		if err != nil {
			return 0, zlibError(noEOF(err))
		}
		size |= int64(c&0x7f) << shift
		if c&0x80 == 0 {
			return size, nil
		}
	}
	return 0, errDelta
}

// applyStream writes the target, of exactly size bytes, of the instructions that
// delta holds.
func applyStream(w io.Writer, base io.ReaderAt, baseSize, size int64, delta byteReader) error {
	var arg [1 + maxInsert]byte
	for size > 0 {
		n, err := instructionSize(delta, arg[:])
		if err == nil {
			_, err = io.ReadFull(delta, arg[1:n])
		}
		if err != nil {
			return zlibError(noEOF(err))
		}
		in, _, err := nextInstruction(arg[:n])
		if err != nil {
			return err
		}
		if size -= in.n; size < 0 || in.data == nil && in.off+in.n > baseSize {
			return errDelta
		}
		if in.data != nil {
			_, err = w.Write(in.data)
		} else {
			_, err = io.Copy(w, io.NewSectionReader(base, in.off, in.n))
		}
		if err != nil {
			return err
		}
	}
	if _, err := delta.ReadByte(); err != io.EOF {
		return errDelta
	}
	return nil
}

// instructionSize takes the first byte of an instruction into arg and returns how
// many there are with it.
func instructionSize(delta io.ByteReader, arg []byte) (n int, err error) {
	if arg[0], err = delta.ReadByte(); err != nil {
		return 0, err
	}
	if arg[0]&0x80 == 0 {
		return 1 + int(arg[0]), nil
	}
	n = 1
	for bit := range 7 {
		n += int(arg[0] >> bit & 1)
	}
	return n, nil
}
