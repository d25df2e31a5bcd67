// Package tomlfile reads and writes the small TOML files in which services keep
// what people may also edit by hand and push: users/alice.toml, sites/www.toml.
package tomlfile

import (
	"bytes"
	"fmt"

	"github.com/BurntSushi/toml"
)

// Bounds of one record. The TOML decoder's time and memory grow with the square
// of how deep dotted keys and inline tables go (64 KiB of them take a minute and
// 40 GB), so both are bounded before it runs; no record needs either.
const (
	MaxBytes  = 64 << 10
	maxDots   = 64 // in a line
	maxBraces = 64 // in all
)

// Decode reads a record into a struct. Keys that the struct does not know are an
// error when strict, as for what is pushed; when reading what is there already
// they are left alone.
func Decode(data []byte, into any, strict bool) error {
	if err := bounded(data); err != nil {
		return err
	}
	meta, err := toml.Decode(string(data), into)
	if err != nil {
		return fmt.Errorf("not TOML: %w", err)
	}
	if strict && len(meta.Undecoded()) > 0 {
		return fmt.Errorf("unknown key %q", meta.Undecoded()[0])
	}
	return nil
}

// bounded refuses what would be dear to decode.
func bounded(data []byte) error {
	if len(data) > MaxBytes {
		return fmt.Errorf("larger than %d bytes", MaxBytes)
	}
	if n := bytes.Count(data, []byte("{")); n > maxBraces {
		return fmt.Errorf("%d braces, %d at most", n, maxBraces)
	}
	for line := range bytes.Lines(data) {
		if n := bytes.Count(line, []byte(".")); n > maxDots {
			return fmt.Errorf("a line with %d dots, %d at most", n, maxDots)
		}
	}
	return nil
}

// Encode writes a struct as a record.
func Encode(v any) ([]byte, error) {
	var b bytes.Buffer
	e := toml.NewEncoder(&b)
	e.Indent = ""
	if err := e.Encode(v); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}
