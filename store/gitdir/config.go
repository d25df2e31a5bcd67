package gitdir

import (
	"errors"
	"fmt"
	"io"
	"strings"
)

// maxConfig bounds a repository's config file, in bytes.
const maxConfig = 1 << 20

// A setting is a line of a git config file. Section and key are in small letters; a
// subsection stands behind the section, with a dot between.
type setting struct{ section, key, value string }

// A config has the settings of a file in their order. Files that it includes are not read.
type config []setting

// last returns the last value of a setting, which is the one that holds.
func (c config) last(section, key string) (value string, ok bool) {
	for _, s := range c {
		if s.section == section && s.key == key {
			value, ok = s.value, true
		}
	}
	return value, ok
}

// readConfig reads a config file: git-config(1), Syntax.
func readConfig(r io.Reader) (config, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxConfig+1))
	if err != nil {
		return nil, err
	}
	if len(data) > maxConfig {
		return nil, fmt.Errorf("it is larger than %d bytes", maxConfig)
	}
	text := strings.TrimPrefix(string(data), "\ufeff")
	p := &configParser{rest: strings.ReplaceAll(text, "\r\n", "\n"), line: 1}
	for p.rest != "" {
		if err := p.next(); err != nil {
			return nil, fmt.Errorf("line %d: %w", p.line, err)
		}
	}
	return p.settings, nil
}

type configParser struct {
	rest     string
	line     int
	section  string
	settings config
}

// next reads a section's name, a setting, or what means nothing.
func (p *configParser) next() error {
	switch c := p.rest[0]; {
	case c == '\n':
		p.line++
		p.rest = p.rest[1:]
	case c == ' ' || c == '\t' || c == '\r' || c == '\v' || c == '\f':
		p.rest = p.rest[1:]
	case c == '#' || c == ';':
		p.rest = p.rest[len(untilLine(p.rest)):]
	case c == '[':
		return p.header()
	case letter(c):
		return p.setting()
	default:
		return fmt.Errorf("it begins with %q", c)
	}
	return nil
}

// untilLine is the text up to the end of the line.
func untilLine(text string) string {
	line, _, _ := strings.Cut(text, "\n")
	return line
}

func letter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }

func nameByte(c byte) bool { return letter(c) || c >= '0' && c <= '9' || c == '-' }

// header reads [section] or [section "subsection"].
func (p *configParser) header() error {
	text := p.rest[1:]
	n := 0
	for n < len(text) && (nameByte(text[n]) || text[n] == '.') {
		n++
	}
	name, text := strings.ToLower(text[:n]), text[n:]
	if trimmed := strings.TrimLeft(text, " \t"); n > 0 && len(trimmed) < len(text) && strings.HasPrefix(trimmed, `"`) {
		sub, rest, err := subsection(trimmed[1:])
		if err != nil {
			return err
		}
		name, text = name+"."+sub, rest
	}
	if n == 0 || !strings.HasPrefix(text, "]") {
		return errors.New("a section is written [name]")
	}
	p.section, p.rest = name, text[1:]
	return nil
}

// subsection reads a name up to its closing quote, where a backslash stands before what has
// no meaning then.
func subsection(text string) (name, rest string, err error) {
	var b strings.Builder
	for i := 0; i < len(text) && text[i] != '\n'; i++ {
		switch {
		case text[i] == '"':
			return b.String(), text[i+1:], nil
		case text[i] == '\\' && i+1 < len(text) && text[i+1] != '\n':
			i++
		}
		b.WriteByte(text[i])
	}
	return "", "", errors.New("the name of a subsection has no end")
}

// setting reads name = value, or a name alone, which stands for true.
func (p *configParser) setting() error {
	if p.section == "" {
		return errors.New("a setting stands before the first section")
	}
	n := 0
	for n < len(p.rest) && nameByte(p.rest[n]) {
		n++
	}
	s := setting{section: p.section, key: strings.ToLower(p.rest[:n]), value: "true"}
	p.rest = strings.TrimLeft(p.rest[n:], " \t")
	if strings.HasPrefix(p.rest, "=") {
		p.rest = p.rest[1:]
		var err error
		if s.value, err = p.value(); err != nil {
			return err
		}
	} else if line := untilLine(p.rest); line != "" {
		return fmt.Errorf("behind %s stands no = but %.20q", s.key, line)
	}
	p.settings = append(p.settings, s)
	return nil
}

// value reads up to the line's end, or further where a backslash ends the line. Blanks at
// its ends do not belong to it, unless in quotes.
func (p *configParser) value() (string, error) {
	var b strings.Builder
	solid, quoted := 0, false // how much of b is not blanks at its end; whether we are in quotes
	for p.rest != "" && (p.rest[0] != '\n' || quoted) {
		c := p.rest[0]
		p.rest = p.rest[1:]
		switch {
		case c == '\n':
			return "", errors.New("a quote has no end")
		case c == '"':
			quoted = !quoted
			solid = b.Len()
			continue
		case c == '\\':
			escaped, err := p.escaped()
			if err != nil {
				return "", err
			}
			b.WriteString(escaped)
		case (c == '#' || c == ';') && !quoted:
			p.rest = p.rest[len(untilLine(p.rest)):]
			continue
		case (c == ' ' || c == '\t' || c == '\v' || c == '\f' || c == '\r') && !quoted:
			if b.Len() > 0 {
				b.WriteByte(c)
			}
			continue
		default:
			b.WriteByte(c)
		}
		solid = b.Len()
	}
	if quoted {
		return "", errors.New("a quote has no end")
	}
	return b.String()[:solid], nil
}

// escapes are what may stand behind a backslash.
var escapes = map[byte]string{'n': "\n", 't': "\t", 'b': "\b", '"': `"`, '\\': `\`}

// escaped reads what stands behind a backslash; the end of the file is one of a line.
func (p *configParser) escaped() (string, error) {
	if p.rest == "" {
		return "", nil
	}
	c := p.rest[0]
	p.rest = p.rest[1:]
	if c == '\n' {
		p.line++
		return "", nil
	}
	text, ok := escapes[c]
	if !ok {
		return "", fmt.Errorf("a backslash stands before %q", c)
	}
	return text, nil
}
