package kernel_test

import (
	"cmp"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"cairn/libos/metal/kernel"
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
	functions := disassemble(t)
	seen := map[string]bool{}
	var walk func(fn string, path []string)
	walk = func(fn string, path []string) {
		if seen[fn] {
			return
		}
		seen[fn] = true
		path = append(slices.Clone(path), fn)
		for _, callee := range functions.at(t, fn).calls {
			switch {
			case strings.HasPrefix(callee, kernelPackage):
				walk(callee, path)
			case !outside.MatchString(callee):
				t.Errorf("calls %s: %s", callee, strings.Join(path, " → "))
			}
		}
	}
	for _, fn := range append(slices.Clone(roots), handlers...) {
		walk(functions.name(fn), nil)
	}
	if len(seen) < 100 {
		t.Errorf("only %d functions of the kernel found", len(seen))
	}
	t.Logf("%d functions of the kernel", len(seen))
}

// TestStacks adds up frames along all calls: the kernel's stacks suffice, and nothing
// recurses, but for kdie, which may fail once.
func TestStacks(t *testing.T) {
	functions := disassemble(t)
	const foreign = 4096 // what functions outside of the package take, at most
	end := functions.name("kdie")
	depths, open := map[string]int{end: 0}, map[string]bool{}
	var depth func(fn string) int
	deepest := func(fn string) (d int) {
		for _, callee := range functions.at(t, fn).calls {
			if callee != fn { // a loop
				d = max(d, depth(callee))
			}
		}
		return functions.at(t, fn).frame + d
	}
	depth = func(fn string) int {
		if !strings.HasPrefix(fn, kernelPackage) {
			return foreign
		}
		if d, ok := depths[fn]; ok {
			return d
		}
		if open[fn] {
			t.Errorf("%s recurses", fn)
			return 0
		}
		open[fn] = true
		defer delete(open, fn)
		depths[fn] = deepest(fn)
		return depths[fn]
	}
	once := deepest(end)
	clear(depths)
	depths[end] = 2 * once

	const onFaultStack = 3072 + 512 // what enterAgain puts there first
	for root, limit := range map[string]int{
		"start": kernel.KernelStack, "trap": kernel.KernelStack,
		"trapInKernel": kernel.FaultStack - onFaultStack, "trapLast": min(kernel.FatalStack, kernel.FaultStack-onFaultStack),
	} {
		d := depth(functions.name(root))
		t.Logf("%s: at most %d of %d bytes", root, d, limit)
		if d > limit {
			t.Errorf("%s takes up to %d bytes of stack, and has %d", root, d, limit)
		}
	}
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
	frameLine  = regexp.MustCompile(`\t(?:SUBQ \$0x|ADDQ \$-0x)([0-9a-f]+), SP`)
	pushLine   = regexp.MustCompile(`\tPUSHQ `)
)

// function is what the disassembly says of one: what it calls or jumps to, and how
// much of the stack it takes, in bytes. A call whose target is not in the
// instruction is one of "CALL …".
type function struct {
	calls []string
	frame int
}

// listing is all functions of the kernel.
type listing map[string]*function

// name is that of a function of the package that assembly or Go code calls.
func (l listing) name(fn string) string {
	if _, ok := l[kernelPackage+fn]; ok {
		return kernelPackage + fn
	}
	return kernelPackage + fn + ".abi0"
}

func (l listing) at(t *testing.T, fn string) *function {
	f, ok := l[fn]
	if !ok {
		t.Fatalf("%s: there is no such function", fn)
	}
	return f
}

func disassemble(t *testing.T) listing {
	name := program(t, "")
	out, err := exec.Command("go", "tool", "objdump", "-s", `^cairn/libos/metal/kernel\.`, name).Output()
	if err != nil {
		t.Fatal(err)
	}
	functionAt := symbols(t, name)
	all, f := listing{}, &function{}
	for line := range strings.Lines(string(out)) {
		if m := textLine.FindStringSubmatch(line); m != nil {
			f = &function{frame: 8} // the return address
			all[m[1]] = f
		} else if m := targetLine.FindStringSubmatch(line); m != nil {
			f.calls = append(f.calls, m[1])
		} else if m := insideLine.FindStringSubmatch(line); m != nil {
			f.calls = append(f.calls, functionAt(m[1]))
		} else if m := callLine.FindStringSubmatch(line); m != nil {
			f.calls = append(f.calls, "CALL "+m[1])
		} else if m := frameLine.FindStringSubmatch(line); m != nil {
			size, err := strconv.ParseUint(m[1], 16, 32)
			if err != nil {
				t.Fatal(err)
			}
			f.frame += int(size)
		} else if pushLine.MatchString(line) {
			f.frame += 8
		}
	}
	return all
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
