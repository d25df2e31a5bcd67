package kernel_test

import (
	"cmp"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// roots are the functions that assembly calls when the machine begins, and on
// each trap; handlers lists the assembly itself.
var roots = []string{"start", "trap", "trapInKernel", "trapLast"}

var handlers = []string{"boot32", "boot64", "enterSyscall", "enterKernel", "resume", "enterTrap", "enterAgain", "enterFatal", "enterLast", "tell", "idleLoop"}

// outside is all that kernel code may call of others: moving and clearing
// memory, which know of no g, and what a broken promise about an index leads to,
// which faults at once on the kernel's own g and so ends the machine with a message.
var outside = regexp.MustCompile(`^runtime\.(memmove|memclrNoHeapPointers|memequal|duffzero|duffcopy|panicBounds|panicIndex[U]?|panicSlice\w*|goPanic\w+|panicdivide|panicshift|morestack_noctxt|morestack)(\.abi0)?$`)

// TestCalls walks all calls from the roots: kernel code neither allocates, nor
// has write barriers, nor calls what it cannot know.
func TestCalls(t *testing.T) {
	calls := disassemble(t)
	seen := map[string]bool{}
	var walk func(fn string, path []string)
	walk = func(fn string, path []string) {
		if seen[fn] {
			return
		}
		seen[fn] = true
		body, ok := calls[fn]
		if !ok {
			t.Errorf("%s: there is no such function", fn)
		}
		path = append(slices.Clone(path), fn)
		for _, callee := range body {
			switch {
			case strings.HasPrefix(callee, kernelPackage):
				walk(callee, path)
			case !outside.MatchString(callee):
				t.Errorf("calls %s: %s", callee, strings.Join(path, " → "))
			}
		}
	}
	for _, fn := range append(slices.Clone(roots), handlers...) {
		name := kernelPackage + fn
		if _, ok := calls[name]; !ok {
			name += ".abi0"
		}
		walk(name, nil)
	}
	if len(seen) < 100 {
		t.Errorf("only %d functions of the kernel found", len(seen))
	}
	t.Logf("%d functions of the kernel", len(seen))
}

// TestRegisters makes sure that the compiler still keeps g in R14 and its stack's
// limit at offset 16 of it, on which the kernel's g relies.
func TestRegisters(t *testing.T) {
	out, err := exec.Command("go", "tool", "objdump", "-s", `^main\.tree$`, program(t, "")).Output()
	if err != nil {
		t.Fatal(err)
	}
	if !regexp.MustCompile(`CMPQ SP, 0x10\(R14\)`).Match(out) {
		t.Errorf("main.tree does not compare SP with 0x10(R14):\n%s", out)
	}
}

const kernelPackage = "cairn/libos/metal/kernel."

var (
	textLine   = regexp.MustCompile(`^TEXT (\S+)\(SB\)`)
	targetLine = regexp.MustCompile(`\t(?:CALL|J[A-Z]+) (\S+)\(SB\)`)
	insideLine = regexp.MustCompile(`\tCALL 0x([0-9a-f]+)`) // into the midst of a function
	callLine   = regexp.MustCompile(`\tCALL (.*\S)`)
)

// disassemble returns what each function of the kernel calls or jumps to. A call
// whose target is not in the instruction is one of "CALL …".
func disassemble(t *testing.T) map[string][]string {
	name := program(t, "")
	out, err := exec.Command("go", "tool", "objdump", "-s", `^cairn/libos/metal/kernel\.`, name).Output()
	if err != nil {
		t.Fatal(err)
	}
	functionAt := symbols(t, name)
	calls, fn := map[string][]string{}, ""
	for line := range strings.Lines(string(out)) {
		if m := textLine.FindStringSubmatch(line); m != nil {
			fn = m[1]
			calls[fn] = []string{}
		} else if m := targetLine.FindStringSubmatch(line); m != nil {
			calls[fn] = append(calls[fn], m[1])
		} else if m := insideLine.FindStringSubmatch(line); m != nil {
			calls[fn] = append(calls[fn], functionAt(m[1]))
		} else if m := callLine.FindStringSubmatch(line); m != nil {
			calls[fn] = append(calls[fn], "CALL "+m[1])
		}
	}
	return calls
}

// symbols returns a function that finds the function that a hexadecimal address lies in.
func symbols(t *testing.T, name string) func(address string) string {
	out, err := exec.Command("go", "tool", "nm", "-n", name).Output()
	if err != nil {
		t.Fatal(err)
	}
	type symbol struct {
		address uint64
		name    string
	}
	var all []symbol
	for line := range strings.Lines(string(out)) {
		if f := strings.Fields(line); len(f) >= 3 && strings.EqualFold(f[1], "T") {
			a, err := strconv.ParseUint(f[0], 16, 64)
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, symbol{a, f[2]})
		}
	}
	return func(address string) string {
		a, err := strconv.ParseUint(address, 16, 64)
		if err != nil {
			t.Fatal(err)
		}
		i, found := slices.BinarySearchFunc(all, a, func(s symbol, a uint64) int { return cmp.Compare(s.address, a) })
		if !found {
			i--
		}
		return all[max(i, 0)].name
	}
}
