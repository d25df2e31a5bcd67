package gitwire

import (
	"errors"
	"io"
)

// A bandReader reads the data band of a side-band stream, up to the flush that
// ends it. Progress goes to a writer; the error band is a *RemoteError.
type bandReader struct {
	r        *pktReader
	progress io.Writer
	talked   int    // bytes of progress
	rest     []byte // of the current line
	err      error
}

func (b *bandReader) Read(p []byte) (int, error) {
	for len(b.rest) == 0 && b.err == nil {
		b.err = b.next()
	}
	if len(b.rest) == 0 {
		return 0, b.err
	}
	n := copy(p, b.rest)
	b.rest = b.rest[n:]
	return n, nil
}

func (b *bandReader) next() error {
	kind, line, err := b.r.next()
	switch {
	case err != nil:
		return noEOF(err)
	case kind == pktFlush:
		return io.EOF
	case kind != pktData || len(line) == 0:
		return errors.New("malformed side-band")
	}
	switch line[0] {
	case bandData:
		b.rest = line[1:]
	case bandProgress:
		if b.talked += len(line); b.talked > maxProgress {
			return errors.New("the remote does not stop talking")
		}
		// Who does not care to hear it does not stop the transfer.
		_, _ = b.progress.Write(line[1:])
	case bandError:
		return remoteSays(string(line[1:]))
	default:
		if string(line[:min(4, len(line))]) == "ERR " {
			return remoteSays(string(line[4:]))
		}
		return errors.New("malformed side-band")
	}
	return nil
}

// maxProgress is how many bytes of progress one transfer may bring.
const maxProgress = 16 << 20

// maxTrailing is how much may follow a pack or a report in its stream.
const maxTrailing = 1 << 20

// finish reads to the end of the stream, so that an error the remote sends last
// is not missed.
func (b *bandReader) finish() error {
	n, err := io.CopyN(io.Discard, b, maxTrailing)
	if err == io.EOF {
		return nil
	}
	if err == nil && n == maxTrailing {
		return errors.New("the remote does not stop sending")
	}
	return err
}
