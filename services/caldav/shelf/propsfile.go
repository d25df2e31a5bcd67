package shelf

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"reflect"
	"strings"

	"cairn/services/tomlfile"
	"cairn/store"
)

const (
	propsFile   = ".props.toml"
	propsFolder = ".props"
)

// ErrTooManyProps says that the properties of one thing, or the locks of one
// person, take more than 64 KiB.
var ErrTooManyProps = errors.New("too many properties")

// resourcePropsFile is where, below a collection, the dead properties of a
// resource lie.
func resourcePropsFile(name string) (string, error) {
	file, err := fileName(name, "", escape)
	if err == nil && len(file)+len(".toml") > maxName {
		err = &NameError{name, "is too long for properties"}
	}
	return propsFolder + "/" + file + ".toml", err
}

// Encode writes the file .props.toml. Too much for one is ErrTooManyProps.
func (p *Props) Encode() ([]byte, error) {
	if reflect.ValueOf(*p).IsZero() {
		return nil, nil
	}
	data, err := encodeTOML(p)
	if err == nil {
		_, err = decodeProps(data, true)
	}
	return data, err
}

// encodeTOML writes a record that tomlfile.Decode accepts whatever the texts in it are.
func encodeTOML(v any) ([]byte, error) {
	data, err := tomlfile.Encode(v)
	if err != nil {
		return nil, err
	}
	if data = tame(data); len(data) > tomlfile.MaxBytes {
		return nil, ErrTooManyProps
	}
	return data, nil
}

// tameDots is how many dots a line may have before those in texts are escaped;
// tomlfile counts dots and braces, which nest outside of texts, wherever they are.
const tameDots = 32

// tame escapes the braces in texts, and the dots where there are many.
func tame(data []byte) []byte {
	if bytes.IndexByte(data, '{') < 0 && bytes.Count(data, []byte(".")) <= tameDots {
		return data
	}
	var out bytes.Buffer
	for line := range bytes.Lines(data) {
		dots := bytes.Count(line, []byte(".")) > tameDots
		quoted := false
		for i := 0; i < len(line); i++ {
			switch c := line[i]; {
			case quoted && c == '\\':
				out.Write(line[i : i+2])
				i++
			case quoted && (c == '{' || c == '.' && dots):
				fmt.Fprintf(&out, `\u%04x`, c)
			default:
				quoted = quoted != (c == '"')
				out.WriteByte(c)
			}
		}
	}
	return out.Bytes()
}

// decodeProps reads the file. When strict it refuses what it does not understand,
// as for what is pushed.
func decodeProps(data []byte, strict bool) (*Props, error) {
	p := new(Props)
	if err := tomlfile.Decode(data, p, strict); err != nil {
		return nil, err
	}
	for user, a := range p.Shares {
		switch {
		case user == "" || strings.Contains(user, "/"):
			return nil, fmt.Errorf("shares: %q cannot be a user", user)
		case a != Read && a != ReadWrite:
			return nil, fmt.Errorf("shares: %s: %q is neither %q nor %q", user, a, Read, ReadWrite)
		}
	}
	for _, d := range p.Dead {
		if d.Name == "" {
			return nil, errors.New("dead: a property without a name")
		}
	}
	return p, nil
}

// readProps returns the properties in a file of a snapshot; none where there is no
// such file. Those that somebody has made unreadable are none as well: nobody shall
// lose a calendar by a slip in its file.
func (s *Snapshot) readProps(t *store.Tree, file string) (*Props, error) {
	e, err := t.Lookup(file)
	if errors.Is(err, fs.ErrNotExist) {
		return &Props{}, nil
	}
	if err != nil {
		return nil, err
	}
	if p, ok := s.shelf.props.get(e.Hash); ok {
		return p, nil
	}
	data, _, err := t.Blob(file)
	if errors.Is(err, fs.ErrInvalid) { // a folder
		return &Props{}, nil
	}
	if err != nil {
		return nil, err
	}
	p, err := decodeProps(data, false)
	if err != nil {
		s.shelf.o.Log.Warn("properties that cannot be read", "user", s.user, "file", file, "err", err)
		p = &Props{}
	}
	s.shelf.props.put(e.Hash, p, int64(2*len(data))+512)
	return p, nil
}
