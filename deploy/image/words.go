package image

import (
	"fmt"
	"slices"
	"strings"

	"cairn/libos"
)

// A word is one argument of a service, as it was said.
type word struct{ name, value string }

// words takes a command line apart that the manifest's Parse has found good.
func words(m libos.Manifest, args []string) []word {
	bools := map[string]bool{}
	for _, a := range m.All() {
		bools[a.Name] = a.Kind == libos.Bool
	}
	var list []word
	for i := 0; i < len(args); i++ {
		name, value, joined := strings.Cut(strings.TrimPrefix(strings.TrimPrefix(args[i], "-"), "-"), "=")
		switch {
		case joined:
		case bools[name]:
			value = "true"
		case i+1 < len(args):
			i++
			value = args[i]
		}
		list = append(list, word{name, value})
	}
	return list
}

// String is the word as one argument.
func (w word) String() string { return "--" + w.name + "=" + w.value }

// maxCommandLine is how long a kernel's command line may be: what fits into that of
// every virtual machine monitor, and into our kernel.
const maxCommandLine = 2047

// kernelLine is a service's command line as a kernel's, where double quotes keep blanks
// together and nothing else has a meaning.
func kernelLine(command []string, list []word) (string, error) {
	line := slices.Clone(command)
	for _, w := range list {
		text := w.String()
		if strings.ContainsAny(text, "\"\n\r\t\x00") {
			return "", fmt.Errorf("--%s: a virtual machine's command line cannot hold quotes, tabs or line breaks: %q", w.name, w.value)
		}
		if strings.Contains(text, " ") {
			text = `"` + text + `"`
		}
		line = append(line, text)
	}
	text := strings.Join(line, " ")
	if len(text) > maxCommandLine {
		return "", fmt.Errorf("the arguments take %d bytes, and a virtual machine's command line at most %d: put secrets and lists into files", len(text), maxCommandLine)
	}
	return text, nil
}

// shell is a command as it can be pasted into a shell.
func shell(command []string) string {
	var b strings.Builder
	for i, w := range command {
		if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(quote(w))
	}
	return b.String()
}

// quote is a word as the shell takes it.
func quote(w string) string {
	plain := w != "" && strings.Trim(w, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_=+:,./@%") == ""
	if plain {
		return w
	}
	return "'" + strings.ReplaceAll(w, "'", `'\''`) + "'"
}
