package image

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// Bounds on what is followed of the function table of somebody else's file.
const (
	maxTable = 64 << 20
	maxLines = 2 << 20  // different lines of code
	maxNames = 64 << 10 // different files
	maxName  = 1024     // bytes of the name of a file or a function
	maxSpans = 1 << 20  // of a function
)

// The function table of a Go program (.gopclntab), as src/internal/abi/symtab.go and
// src/runtime/symtab.go of Go 1.20 to 1.26 describe it: which functions there are, and from
// which line of which file each instruction comes.
type functionTable struct {
	data      []byte
	functions uint64 // how many
	names     []byte // of functions, each ended by a zero
	units     []byte // of compilation: the files of each, as offsets into files
	files     []byte // names, each ended by a zero
	values    []byte // tables of values by instruction
	entries   []byte // of functions, and their records
	steps     int    // that may still be followed in values
}

// magic is how the table begins since Go 1.20.
const magic = 0xfffffff1

// errTable is a function table of another version of Go, or none.
var errTable = errors.New("its function table is not of Go 1.20 to 1.26, or it is damaged")

// parseTable reads the table's head.
func parseTable(data []byte) (*functionTable, error) {
	if len(data) < 72 || order.Uint32(data) != magic || data[6] != 1 || data[7] != 8 {
		return nil, errTable
	}
	t := &functionTable{data: data, functions: order.Uint64(data[8:]), steps: 4 * len(data)}
	offsets := [5]uint64{}
	for i := range offsets {
		offsets[i] = order.Uint64(data[32+8*i:])
		if offsets[i] > uint64(len(data)) || i > 0 && offsets[i] < offsets[i-1] {
			return nil, errTable
		}
	}
	part := func(i int) []byte { return data[offsets[i]:offsets[i+1]] }
	t.names, t.units, t.files, t.values, t.entries = part(0), part(1), part(2), part(3), data[offsets[4]:]
	if t.functions > uint64(len(t.entries))/8 {
		return nil, errTable
	}
	return t, nil
}

// A function is one that is linked into a program.
type function struct {
	name  string
	file  string // where it begins; "" for what the compiler made by itself
	start uint64 // from the beginning of the program's text
	size  uint64
}

// An index of the lines of code that instructions come from.
type lineIndex struct {
	files map[uint32]uint32 // number by offset of the name
	names []string
	lines map[uint64]bool // file's number << 32 | line
}

// walk calls visit for every function and collects the lines of all.
func (t *functionTable) walk(visit func(function)) (*lineIndex, error) {
	x := &lineIndex{files: map[uint32]uint32{}, lines: map[uint64]bool{}}
	for i := range t.functions {
		f, record, err := t.function(i)
		if err != nil {
			return nil, err
		}
		if err := t.addLines(x, &f, record); err != nil {
			return nil, fmt.Errorf("%w: function %s", err, printable(f.name))
		}
		visit(f)
	}
	return x, nil
}

// function returns the i-th function and its record (runtime._func).
func (t *functionTable) function(i uint64) (function, []byte, error) {
	if 8*i+12 > uint64(len(t.entries)) {
		return function{}, nil, errTable
	}
	e := t.entries[8*i:]
	start, at, end := order.Uint32(e), uint64(order.Uint32(e[4:])), order.Uint32(e[8:])
	if at+44 > uint64(len(t.entries)) || end < start {
		return function{}, nil, errTable
	}
	record := t.entries[at:]
	return function{name: nameAt(cut(t.names, order.Uint32(record[4:])), 0), start: uint64(start), size: uint64(end - start)}, record, nil
}

// cut is at most a name's bytes of a table from an offset on.
func cut(table []byte, offset uint32) []byte {
	if uint64(offset) >= uint64(len(table)) {
		return nil
	}
	table = table[offset:]
	return table[:min(len(table), maxName)]
}

// addLines collects the lines of one function, those of others that were inlined into it too.
func (t *functionTable) addLines(x *lineIndex, f *function, record []byte) error {
	files, err := t.spans(order.Uint32(record[20:]), f.size)
	if err != nil {
		return err
	}
	lines, err := t.spans(order.Uint32(record[24:]), f.size)
	if err != nil {
		return err
	}
	unit := order.Uint32(record[32:])
	for i, j := 0, 0; i < len(files) && j < len(lines); {
		if file, ok := x.file(t, unit, files[i].value); ok && lines[j].value > 0 {
			if f.file == "" {
				f.file = x.names[file]
			}
			x.lines[uint64(file)<<32|uint64(uint32(lines[j].value))] = true
		}
		if len(x.lines) > maxLines || len(x.names) > maxNames {
			return fmt.Errorf("%w: it has too many lines or files", errTable)
		}
		switch a, b := files[i].end, lines[j].end; {
		case a < b:
			i++
		case a > b:
			j++
		default:
			i, j = i+1, j+1
		}
	}
	return nil
}

// file is the number of a unit's file; false for those that are none.
func (x *lineIndex) file(t *functionTable, unit uint32, n int32) (uint32, bool) {
	at := 4 * (uint64(unit) + uint64(uint32(n)))
	if n < 0 || at+4 > uint64(len(t.units)) {
		return 0, false
	}
	offset := order.Uint32(t.units[at:])
	if number, ok := x.files[offset]; ok {
		return number, x.names[number] != ""
	}
	name := nameAt(cut(t.files, offset), 0)
	if name == "<autogenerated>" {
		name = ""
	}
	number := uint32(len(x.names))
	x.files[offset] = number
	x.names = append(x.names, name)
	return number, name != ""
}

// A span is a value that holds for the instructions before end, from the end of the span
// before.
type span struct {
	end   uint64 // from the function's beginning
	value int32
}

// spans decodes a table of values by instruction (runtime.pcvalue): differences of
// the value and of the address by turns, the value beginning at -1, ended by a
// difference of 0 that is not the first.
func (t *functionTable) spans(offset uint32, size uint64) ([]span, error) {
	if offset == 0 || uint64(offset) >= uint64(len(t.values)) {
		return nil, nil
	}
	b := t.values[offset:]
	var list []span
	for value, at := int32(-1), uint64(0); at < size; {
		change, n := binary.Uvarint(b)
		if n <= 0 {
			return nil, errTable
		}
		if change == 0 && len(list) > 0 {
			return list, nil
		}
		step, m := binary.Uvarint(b[n:])
		if m <= 0 || step > size {
			return nil, errTable
		}
		if t.steps -= n + m; t.steps < 0 || len(list) == maxSpans {
			return nil, errTable
		}
		b = b[n+m:]
		value += int32(uint32(change)>>1) ^ -int32(change&1)
		at += step
		list = append(list, span{at, value})
	}
	return list, nil
}
