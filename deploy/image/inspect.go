package image

import (
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"unicode/utf8"

	"cairn/libos"
	"cairn/libos/sealed"
)

// maxDocument bounds the manifest, the facts and the bill of somebody else's image.
const maxDocument = 4 << 20

// Info is what an image says of itself.
type Info struct {
	Manifest libos.Manifest  `json:"manifest"`
	Facts    Facts           `json:"build"`
	Sizes    Sizes           `json:"sizes"`
	Packages []Package       `json:"packages,omitempty"` // in the order of their names
	Bill     json.RawMessage `json:"-"`

	// Calls are the system calls that it may make once it is sealed.
	Calls Calls `json:"calls"`

	// Bootable reports whether there is a note for virtual machine monitors.
	Bootable bool   `json:"bootable"`
	SHA256   string `json:"sha256"`

	// Unlisted says why there are no Packages, where there are none.
	Unlisted string `json:"unlisted,omitempty"`
}

// Calls are system calls with what their arguments may be, as package sealed derives them
// from the manifest.
type Calls struct {
	Card   []string `json:"card"`             // with a network card of its own
	Folder []string `json:"folder,omitempty"` // besides, with a folder
	Host   []string `json:"host,omitempty"`   // besides, with sockets of the host's
}

func calls(m libos.Manifest) Calls {
	bare := m
	bare.State = nil
	var c Calls
	c.Card = beside(nil, sealed.Calls(sealed.Declared(bare, true)))
	c.Folder = beside(c.Card, sealed.Calls(sealed.Declared(m, true)))
	c.Host = beside(c.Card, sealed.Calls(sealed.Declared(bare, false)))
	return c
}

// beside are the rules that are not among those had.
func beside(had []string, rules []sealed.Rule) (list []string) {
	for _, r := range rules {
		if text := r.String(); !slices.Contains(had, text) {
			list = append(list, text)
		}
	}
	return list
}

// Sizes are in bytes.
type Sizes struct {
	File       int64 `json:"file"`
	Compressed int64 `json:"compressed"` // by gzip -9

	Text     int64 `json:"text"`     // instructions
	Constant int64 `json:"rodata"`   // read-only data
	Table    int64 `json:"pclntab"`  // read-only: which instruction comes from which line
	Data     int64 `json:"data"`     // data with initial values
	Zero     int64 `json:"bss"`      // data that begins as zero: not in the file, and in memory only once used
	Aside    int64 `json:"unloaded"` // never in memory: manifest, facts, bill, the ELF tables
}

// ErrNotImage is a program that Build did not make.
var ErrNotImage = errors.New("it is no image of ours: it carries no manifest (`cairn image build` makes images)")

// Inspect reads an image of size bytes without running it. Text in it is somebody else's: what
// prints it to a terminal should use Printable.
func Inspect(r io.ReaderAt, size int64) (*Info, error) {
	o, err := readObject(r, size)
	if err != nil {
		return nil, err
	}
	i := &Info{Sizes: sizes(o)}
	if err := i.readDocuments(o); err != nil {
		return nil, err
	}
	i.Calls = calls(i.Manifest)
	for _, s := range o.segments {
		i.Bootable = i.Bootable || s.kind == segmentNote
	}
	if err := i.readAll(r, size); err != nil {
		return nil, err
	}
	if i.Packages, err = packages(o); err != nil {
		i.Unlisted = printable(err.Error())
	}
	return i, nil
}

// readDocuments reads the sections that only images have.
func (i *Info) readDocuments(o *object) error {
	manifest, err := o.data(manifestSection, maxDocument)
	if err != nil {
		return err
	}
	if manifest == nil {
		return ErrNotImage
	}
	if err := json.Unmarshal(manifest, &i.Manifest); err != nil {
		return fmt.Errorf("read its manifest: %w", err)
	}
	facts, err := o.data(factsSection, maxDocument)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(facts, &i.Facts); err != nil {
		return fmt.Errorf("read what it was built from: %w", err)
	}
	if err := sound(i.Manifest, i.Facts.Command); err != nil {
		return err
	}
	bill, err := o.data(billSection, maxDocument)
	if err != nil {
		return err
	}
	if !json.Valid(bill) {
		return errors.New("its bill of material is not JSON")
	}
	i.Bill = bill
	return nil
}

// readAll reads the whole file, for its hash and its compressed size.
func (i *Info) readAll(r io.ReaderAt, size int64) error {
	hash, count := sha256.New(), &counter{}
	z, err := gzip.NewWriterLevel(count, gzip.BestCompression)
	if err != nil {
		return err
	}
	if _, err := io.Copy(io.MultiWriter(hash, z), io.NewSectionReader(r, 0, size)); err != nil {
		return err
	}
	if err := z.Close(); err != nil {
		return err
	}
	i.SHA256, i.Sizes.Compressed = hex.EncodeToString(hash.Sum(nil)), count.n
	return nil
}

// A counter counts what is written to it.
type counter struct{ n int64 }

func (c *counter) Write(p []byte) (int, error) {
	c.n += int64(len(p))
	return len(p), nil
}

func sizes(o *object) Sizes {
	z := Sizes{File: int64(o.size)}
	loaded := int64(0)
	for _, s := range o.sections {
		n := int64(min(s.size, 1<<40)) // of zeros anybody may claim any number
		switch {
		case !s.alloc():
			continue
		case s.kind == typeNobits:
			z.Zero += n
			continue
		case s.flags&flagExec != 0:
			z.Text += n
		case s.name == tableSection:
			z.Table += n
		case s.flags&flagWrite != 0:
			z.Data += n
		default:
			z.Constant += n
		}
		loaded += n
	}
	z.Aside = z.File - loaded
	return z
}

// Printable is text of an image as it may go to a terminal: without control characters.
func Printable(s string) string { return printable(s) }

// PrintableJSON is JSON that says the same, with what would be a control character to a terminal written out.
func PrintableJSON(data []byte) []byte {
	out := make([]byte, 0, len(data))
	for len(data) > 0 {
		r, n := utf8.DecodeRune(data)
		if n > 1 && printable(string(r)) == "?" || r == 0x7f || r == utf8.RuneError {
			out = fmt.Appendf(out, "\\u%04x", r)
		} else {
			out = append(out, data[:n]...)
		}
		data = data[n:]
	}
	return out
}
