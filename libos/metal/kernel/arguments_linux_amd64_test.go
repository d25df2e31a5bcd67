package kernel

import (
	"slices"
	"strings"
	"testing"
)

// splitLine runs split on a line.
func splitLine(line string) (found []string, problem string) {
	commandLineLen, wordCount = copy(commandLine[:], line), 0
	problem = split()
	for _, w := range words[:wordCount] {
		var b strings.Builder
		for ; *p8(w) != 0; w++ {
			b.WriteByte(*p8(w))
		}
		found = append(found, b.String())
	}
	return found, problem
}

// splitModel does the same another way: every other piece between quotes is quoted.
func splitModel(line string) (found []string, closed bool) {
	pieces := strings.Split(line, `"`)
	word, inWord := "", false
	for i, piece := range pieces {
		if i%2 == 1 {
			word, inWord = word+piece, true
			continue
		}
		for _, c := range []byte(piece) {
			if c != ' ' && c != '\t' && c != '\n' {
				word, inWord = word+string([]byte{c}), true
			} else if inWord {
				found = append(found, word)
				word, inWord = "", false
			}
		}
	}
	if inWord {
		found = append(found, word)
	}
	return found, len(pieces)%2 == 1
}

func FuzzSplit(f *testing.F) {
	for _, line := range []string{"", " a  b ", `--a "b c"d e="f  g" ""`, `"a`, strings.Repeat("a ", maxWords), strings.Repeat("a ", maxWords+1)} {
		f.Add(line)
	}
	f.Fuzz(func(t *testing.T, line string) {
		if len(line) > len(commandLine) || strings.Contains(line, "\x00") {
			return // memoryInit refuses the one and stops at the other
		}
		got, problem := splitLine(line)
		want, closed := splitModel(line)
		if wrong := !closed || len(want) > maxWords; wrong != (problem != "") {
			t.Fatalf("%q: problem %q", line, problem)
		}
		if problem == "" && !slices.Equal(got, want) {
			t.Errorf("%q: got %q, want %q", line, got, want)
		}
	})
}

func TestWordsForWhom(t *testing.T) {
	for word, want := range map[string]string{
		"GODEBUG=gctrace=1": "environment", "A_1=": "environment", "_=x": "environment",
		"--addr=:80": "argument", "=x": "argument", "Path=x": "argument", "1A=x": "argument", "GODEBUG": "argument", "": "argument",
		"--ro": "argument", "rows": "argument", "consoles": "argument",
		"ro": "nobody", "console=ttyS0": "nobody", "virtio_mmio.device=4K@0xd0000000:5": "nobody", "reboot=k": "nobody",
	} {
		splitLine(`"` + word + `"`)
		got := "argument"
		switch w := words[0]; {
		case ignored(w):
			got = "nobody"
		case isEnvironment(w):
			got = "environment"
		}
		if got != want {
			t.Errorf("%q is for %s, want %s", word, got, want)
		}
	}
}
