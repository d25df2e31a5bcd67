package image

import (
	"bytes"
	"fmt"
)

// The sections that an image has beside those of any program. They are not loaded
// into memory when it runs.
const (
	manifestSection = ".cairn.manifest" // libos.Manifest as JSON
	billSection     = ".cairn.sbom"     // the bill of material, CycloneDX as JSON
	factsSection    = ".cairn.build"    // Facts as JSON
)

// An addition is a section to be added.
type addition struct {
	name string
	data []byte
}

// attach returns program with more sections at its end, and behind them a table that
// names the old ones and the new. What the old table took stays where it was, unused: nothing that is
// loaded into memory moves.
func attach(program []byte, more []addition) ([]byte, error) {
	o, err := readObject(bytes.NewReader(program), int64(len(program)))
	if err != nil {
		return nil, err
	}
	if len(o.sections) == 0 || len(o.sections)+len(more) > maxSections {
		return nil, fmt.Errorf("the program has %d sections; expected some, and room for %d more", len(o.sections), len(more))
	}
	offset, names := order.Uint64(program[40:]), int(order.Uint16(program[62:]))
	table := append([]byte(nil), program[offset:offset+uint64(len(o.sections))*sectionSize]...)
	old := o.sections[names]
	text := append([]byte(nil), program[old.offset:old.offset+old.size]...)

	out := append([]byte(nil), program...)
	for _, a := range more {
		if _, there := o.section(a.name); there {
			return nil, fmt.Errorf("the program has a section %s already: it is an image", a.name)
		}
		out = align(out)
		table = append(table, entry(len(text), typeProgbits, len(out), len(a.data))...)
		text = append(append(text, a.name...), 0)
		out = append(out, a.data...)
	}
	order.PutUint64(table[names*sectionSize+24:], uint64(len(out)))
	order.PutUint64(table[names*sectionSize+32:], uint64(len(text)))
	out = align(append(out, text...))
	order.PutUint64(out[40:], uint64(len(out)))
	order.PutUint16(out[60:], uint16(len(table)/sectionSize))
	return append(out, table...), nil
}

// entry is a section header.
func entry(name int, kind uint32, offset, size int) []byte {
	b := make([]byte, sectionSize)
	order.PutUint32(b, uint32(name))
	order.PutUint32(b[4:], kind)
	order.PutUint64(b[24:], uint64(offset))
	order.PutUint64(b[32:], uint64(size))
	order.PutUint64(b[48:], 1) // alignment
	return b
}

func align(b []byte) []byte { return append(b, make([]byte, -len(b)&7)...) }
