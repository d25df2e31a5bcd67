package auth

import (
	"bufio"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"

	"golang.org/x/text/encoding/charmap"
)

// Bounds of the XML of strangers.
const (
	maxLevels  = 16
	maxElement = 64 << 10 // bytes of a tag, a text or a comment
	maxText    = 1 << 10  // bytes of an element's text that are kept
)

// readXML calls f at the end of each element with the names from the root to it, without
// namespaces and with slashes between them, and with its text, trimmed.
// Memory does not depend on what is in it.
func readXML(in io.Reader, f func(path, text string) error) error {
	ration := &rationed{r: bufio.NewReader(in)}
	d := xml.NewDecoder(ration)
	d.CharsetReader = charset
	var path []string
	var text strings.Builder
	for {
		ration.left = maxElement
		token, err := d.RawToken()
		if err == io.EOF && len(path) == 0 {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read XML: %w", err)
		}
		switch t := token.(type) {
		case xml.StartElement:
			if len(path) == maxLevels {
				return errors.New("read XML: too deep")
			}
			path = append(path, t.Name.Local)
			text.Reset()
		case xml.CharData:
			text.Write(t[:min(len(t), maxText-min(text.Len(), maxText))])
		case xml.EndElement:
			if len(path) == 0 || path[len(path)-1] != t.Name.Local {
				return fmt.Errorf("read XML: </%s> ends nothing", visible(t.Name.Local))
			}
			if err := f(strings.Join(path, "/"), strings.TrimSpace(strings.ToValidUTF8(text.String(), "?"))); err != nil {
				return err
			}
			path = path[:len(path)-1]
			text.Reset()
		}
	}
}

// charset is for reports that are not in UTF-8, of which some say so.
func charset(name string, in io.Reader) (io.Reader, error) {
	switch strings.ToLower(name) {
	case "us-ascii", "ascii":
		return in, nil
	case "iso-8859-1", "windows-1252":
		return charmap.Windows1252.NewDecoder().Reader(in), nil
	}
	return nil, fmt.Errorf("unknown character set %q", name)
}

// rationed yields left bytes at most: the decoder keeps what it reads of one token in
// memory, many times over if that is attributes.
type rationed struct {
	r    *bufio.Reader
	left int
}

var errElement = errors.New("an element is too long")

func (r *rationed) ReadByte() (byte, error) {
	if r.left--; r.left < 0 {
		return 0, errElement
	}
	return r.r.ReadByte()
}

// Read is for readers of other character sets, which read ahead.
func (r *rationed) Read(p []byte) (int, error) {
	if r.left <= 0 {
		return 0, errElement
	}
	n, err := r.r.Read(p[:min(len(p), r.left)])
	r.left -= n
	return n, err
}
