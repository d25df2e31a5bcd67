package image

import (
	"debug/dwarf"
	"debug/elf"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// A line is one of a source file.
type line struct {
	file string
	n    int
}

// sourceLines adds the different lines of source that the instructions of a program come
// from, as its debugging information says.
func sourceLines(into map[line]bool, program string) error {
	f, err := elf.Open(program)
	if err != nil {
		return err
	}
	defer f.Close()
	d, err := f.DWARF()
	if err != nil {
		return fmt.Errorf("%s: %w", program, err)
	}
	info, err := section(f, ".debug_info")
	if err != nil {
		return fmt.Errorf("%s: %w", program, err)
	}
	names := map[string]string{} // one string a file, not one a line
	for offset := 0; offset < len(info); {
		size, head, err := unit(info[offset:])
		if err != nil {
			return fmt.Errorf("%s: unit at %d: %w", program, offset, err)
		}
		if head > 0 {
			if err := unitLines(into, names, d, dwarf.Offset(offset+head)); err != nil {
				return fmt.Errorf("%s: unit at %d: %w", program, offset, err)
			}
		}
		offset += size
	}
	return nil
}

// section reads one of a program, or that of a relocatable file, unpacked.
func section(f *elf.File, name string) ([]byte, error) {
	s := f.Section(name)
	if s == nil {
		return nil, fmt.Errorf("no section %s", name)
	}
	return s.Data()
}

// unit reads the head of a unit (DWARF 5, section 7.5.1) in the 32-bit format: how long the unit
// is, and its head; 0 for a unit of types, which has no lines.
func unit(b []byte) (size, head int, err error) {
	if len(b) < 12 {
		return 0, 0, io.ErrUnexpectedEOF
	}
	length := binary.LittleEndian.Uint32(b)
	if length > uint32(len(b)-4) {
		return 0, 0, errors.New("longer than its section, or in the 64-bit format")
	}
	const compile, partial = 1, 3 // DW_UT_compile, DW_UT_partial
	switch version, kind := binary.LittleEndian.Uint16(b[4:]), b[6]; {
	case version < 5:
		head = 11
	case kind == compile || kind == partial:
		head = 12
	}
	return int(length) + 4, head, nil
}

// unitLines adds those of one unit.
func unitLines(into map[line]bool, names map[string]string, d *dwarf.Data, at dwarf.Offset) error {
	r := d.Reader()
	r.Seek(at)
	entry, err := r.Next()
	if err != nil || entry == nil || entry.Tag != dwarf.TagCompileUnit {
		return err // a partial unit has no instructions
	}
	lines, err := d.LineReader(entry)
	if err != nil || lines == nil {
		return err
	}
	var row dwarf.LineEntry
	for {
		if err := lines.Next(&row); err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
		if row.EndSequence || row.File == nil || row.Line == 0 {
			continue
		}
		name, known := names[row.File.Name]
		if !known {
			name = row.File.Name
			names[name] = name
		}
		into[line{name, row.Line}] = true
	}
}
