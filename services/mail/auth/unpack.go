package auth

import (
	"archive/zip"
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"strings"
)

// maxEntries is how many files a zip with a report may hold; one is usual.
const maxEntries = 64

var errTooLong = fmt.Errorf("more than %d bytes when unpacked", maxUnpacked)

// unpacked reads what is in a zip or gzip file, or in one that is neither, and no
// more than maxUnpacked of it.
type unpacked struct {
	*bufio.Reader
	closer io.Closer
}

func (u unpacked) Close() error { return u.closer.Close() }

func unpack(data []byte) (unpacked, error) {
	r, err := open(data)
	if err != nil {
		return unpacked{}, fmt.Errorf("report: %w", err)
	}
	return unpacked{bufio.NewReader(&bounded{r, maxUnpacked}), r}, nil
}

func open(data []byte) (io.ReadCloser, error) {
	switch {
	case bytes.HasPrefix(data, []byte("\x1f\x8b")):
		return gzip.NewReader(bytes.NewReader(data))
	case bytes.HasPrefix(data, []byte("PK\x03\x04")):
		return openZip(data)
	}
	return io.NopCloser(bytes.NewReader(data)), nil
}

// openZip opens the first file in a zip.
func openZip(data []byte) (io.ReadCloser, error) {
	// The reader makes an entry of each header that it finds.
	if n := bytes.Count(data, []byte("PK\x01\x02")); n > maxEntries {
		return nil, fmt.Errorf("zip of %d files", n)
	}
	z, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return nil, err
	}
	for _, f := range z.File {
		if !f.FileInfo().IsDir() {
			return f.Open()
		}
	}
	return nil, errors.New("zip without a file")
}

// maxLead is how many bytes of white space may stand before a report.
const maxLead = 1 << 10

// first returns the first byte that is neither white space nor part of a byte order
// mark, and leaves it to be read.
func (u unpacked) first() (byte, error) {
	for range maxLead {
		c, err := u.ReadByte()
		switch {
		case err == io.EOF:
			return 0, io.ErrUnexpectedEOF
		case err != nil:
			return 0, err
		case strings.IndexByte(" \t\r\n\xef\xbb\xbf", c) < 0:
			return c, u.UnreadByte()
		}
	}
	return 0, errors.New("it begins with nothing but white space")
}

// bounded reads left bytes, and then fails.
type bounded struct {
	r    io.Reader
	left int64
}

func (b *bounded) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, errTooLong
	}
	n, err := b.r.Read(p[:min(int64(len(p)), b.left)])
	b.left -= int64(n)
	return n, err
}
