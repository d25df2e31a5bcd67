package sealed

import (
	"fmt"
	"slices"

	"golang.org/x/net/bpf"
)

// What a filter returns (seccomp(2)).
const (
	killProcess = 0x80000000
	allow       = 0x7fff0000
)

// A filter reads struct seccomp_data: number, architecture, instruction pointer, and
// six arguments of 64 bits.
const (
	offNumber       = 0
	offArchitecture = 4
	offArguments    = 16

	archX8664 = 0xc000003e // AUDIT_ARCH_X86_64
	x32       = 0x40000000 // numbers from here on are calls of the x32 ABI
	largest   = 4096       // instructions of a filter, BPF_MAXINSNS
)

var kill, pass = bpf.RetConstant{Val: killProcess}, bpf.RetConstant{Val: allow}

// compile makes the filter that allows what the rules allow, and kills. Calls are
// looked for in the order of the rules.
func compile(rules []Rule) ([]bpf.RawInstruction, error) {
	program := []bpf.Instruction{
		bpf.LoadAbsolute{Off: offArchitecture, Size: 4},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: archX8664, SkipTrue: 1},
		kill,
		bpf.LoadAbsolute{Off: offNumber, Size: 4},
		bpf.JumpIf{Cond: bpf.JumpGreaterOrEqual, Val: x32, SkipFalse: 1},
		kill,
	}
	for _, call := range inOrder(rules) {
		number, ok := numbers[call]
		if !ok {
			return nil, fmt.Errorf("the number of system call %s is not known", call)
		}
		block := alternatives(rules, call)
		if len(block) > 255 {
			return nil, fmt.Errorf("the rules of system call %s are too many", call)
		}
		program = append(program, bpf.JumpIf{Cond: bpf.JumpEqual, Val: number, SkipFalse: uint8(len(block))})
		program = append(program, block...)
	}
	program = append(program, kill)
	if len(program) > largest {
		return nil, fmt.Errorf("a filter of %d instructions is longer than %d", len(program), largest)
	}
	return bpf.Assemble(program)
}

// inOrder are the names of calls, each once.
func inOrder(rules []Rule) []string {
	var calls []string
	for _, r := range rules {
		if !slices.Contains(calls, r.Call) {
			calls = append(calls, r.Call)
		}
	}
	return calls
}

// alternatives decides about one call: it ends in every case.
func alternatives(rules []Rule, call string) (block []bpf.Instruction) {
	for _, r := range rules {
		if r.Call == call {
			block = append(block, test(r)...)
		}
	}
	return append(block, kill)
}

// otherwise stands for a jump to where the instructions of a rule end.
const otherwise = 255

// test allows the call if all limits of the rule hold; if not, what follows runs.
func test(r Rule) (block []bpf.Instruction) {
	for _, l := range r.limits {
		block = append(block, l.test()...)
	}
	block = append(block, pass)
	for i, instruction := range block {
		if jump, ok := instruction.(bpf.JumpIf); ok && jump.SkipFalse == otherwise {
			jump.SkipFalse = uint8(len(block) - i - 1)
			block[i] = jump
		}
	}
	return block
}

// test goes on if the limit holds, and otherwise jumps.
func (l limit) test() (block []bpf.Instruction) {
	low := uint32(offArguments + 8*l.arg) // little-endian
	if l.wide {
		block = append(block,
			bpf.LoadAbsolute{Off: low + 4, Size: 4},
			bpf.JumpIf{Cond: bpf.JumpEqual, Val: 0, SkipFalse: otherwise})
	}
	block = append(block, bpf.LoadAbsolute{Off: low, Size: 4})
	for i, v := range l.oneOf {
		left := len(l.oneOf) - 1 - i
		if left == 0 {
			return append(block, bpf.JumpIf{Cond: bpf.JumpEqual, Val: v.bits, SkipFalse: otherwise})
		}
		block = append(block, bpf.JumpIf{Cond: bpf.JumpEqual, Val: v.bits, SkipTrue: uint8(left)})
	}
	with := bits(l.with)
	return append(block,
		bpf.ALUOpConstant{Op: bpf.ALUOpAnd, Val: ^bits(l.may)},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: with, SkipFalse: otherwise})
}
