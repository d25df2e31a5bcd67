#include "textflag.h"

// The way from the VMM to Go. A VMM that knows PVH (Xen's direct boot: QEMU,
// Firecracker, cloud-hypervisor) loads the segments of the file, looks for
// Xen's note and jumps to the address in it: 32-bit protected mode, paging
// and interrupts off, flat segments, EBX = address of hvm_start_info.

// note is what it looks for: lengths of name and value, type 18
// (XEN_ELFNOTE_PHYS32_ENTRY), name, and the value: where to begin. Package pvh
// makes the program headers point here, and puts code of its own before entry.
DATA ·note+0(SB)/4, $4
DATA ·note+4(SB)/4, $8
DATA ·note+8(SB)/4, $18
DATA ·note+12(SB)/4, $"Xen\x00"
DATA ·note+16(SB)/8, $·entry(SB)
GLOBL ·note(SB), RODATA|NOPTR, $24

// entry is the first code. It is data, because an address can only be laid
// down as eight bytes and only in data:
//
//	MOVL $bootTable, AX   // the address's low half
//	ADDB AL, (AX)         // what its high half, four zeros, means: twice,
//	ADDB AL, (AX)         // on a word of the table that is there for it
//	JMP  8(AX)
DATA ·entry+0(SB)/1, $0xb8
DATA ·entry+1(SB)/8, $·bootTable(SB)
DATA ·entry+9(SB)/1, $0xff
DATA ·entry+10(SB)/1, $0x60
DATA ·entry+11(SB)/1, $8
GLOBL ·entry(SB), RODATA|NOPTR, $12

// bootTable holds the addresses that boot32 needs, and the descriptor tables
// for the way to 64 bits.
DATA ·bootTable+8(SB)/8, $·boot32(SB)
DATA ·bootTable+16(SB)/8, $·kernelTLS(SB)
DATA ·bootTable+24(SB)/8, $·bootPages(SB)
DATA ·bootTable+32(SB)/8, $·boot64(SB)
DATA ·bootTable+46(SB)/2, $23 // limit and base, for LGDT
DATA ·bootTable+48(SB)/8, $·bootTable+56(SB)
DATA ·bootTable+64(SB)/8, $0x00af9b000000ffff // selector 8: code, 64 bits
DATA ·bootTable+72(SB)/8, $0x00cf93000000ffff // selector 16: data
DATA ·bootTable+80(SB)/4, $0x1f80 // MXCSR: all exceptions masked, round to nearest
DATA ·bootTable+88(SB)/8, $·stackArea+(18*4096-8)(SB)
DATA ·bootTable+96(SB)/8, $·smallMessage(SB)
GLOBL ·bootTable(SB), NOPTR, $104

// bootPages has room for six pages and the way to the first page's beginning.
GLOBL ·bootPages(SB), NOPTR, $28672

// boot32 turns on long mode. It runs in 32-bit mode: it uses only instructions
// whose bytes mean the same in both modes, where a Q for pushing is an L.
// The first 4 GiB are mapped where they are and at direct, in pages of 2 MiB.
TEXT ·boot32(SB),NOSPLIT|NOFRAME,$0
	CLI
	CLD
	MOVL 88(AX), DI // is there RAM as far as the stacks?
	MOVL DI, 0(DI)
	CMPL DI, 0(DI)
	JNE  small
	MOVL 16(AX), SP
	ADDL $64, SP
	PUSHQ AX
	MOVL 24(AX), SI
	ADDL $0xfff, SI
	ANDL $0xfffff000, SI // PML4, then PDPT, then four page directories

	MOVL SI, DI
	XORL AX, AX
	MOVL $(6*1024), CX
	REP; STOSL

	LEAL 0x1003(SI), AX // present, writable
	MOVL AX, 0(SI)
	MOVL AX, 0x800(SI)  // entry 256: direct

	LEAL 0x1000(SI), DI
	MOVL $4, CX
directory:
	ADDL $0x1000, AX
	MOVL AX, 0(DI)
	ADDL $8, DI
	DECL CX
	JNZ  directory

	LEAL 0x2000(SI), DI
	MOVL $0x83, AX // present, writable, 2 MiB
	MOVL $2048, CX
page:
	MOVL AX, 0(DI)
	ADDL $8, DI
	ADDL $0x200000, AX
	DECL CX
	JNZ  page

	MOVL $0x6e0, AX // PAE, machine checks, global pages, SSE with exceptions
	MOVL AX, CR4
	MOVL SI, CR3
	MOVL $0xc0000080, CX
	RDMSR
	ORL  $0x901, AX // SYSCALL, long mode, no-execute
	WRMSR
	POPQ DI
	LGDT 46(DI)
	MOVL $0x80010033, AX // paging, write-protect for the kernel too, FPU, protection
	MOVL AX, CR0
	PUSHQ $8
	PUSHQ 32(DI)
	RETFL

	// There is no RAM as far as the stacks, and so no message by other means.
small:
	MOVL 96(AX), SI
	JMP  ·tell(SB)

// boot64 makes the processor fit for Go code and calls start.
TEXT ·boot64(SB),NOSPLIT|NOFRAME,$0
	MOVL BX, R12
	RDTSC
	SHLQ $32, DX
	ORQ  DX, AX
	MOVQ AX, ·entryTSC(SB)
	MOVL $16, AX
	MOVW AX, DS
	MOVW AX, ES
	MOVW AX, SS
	XORL AX, AX
	MOVW AX, FS
	MOVW AX, GS

	LEAQ ·kernelTLS(SB), AX
	ADDQ $64, AX
	MOVQ AX, DX
	SHRQ $32, DX
	MOVL $0xc0000100, CX // FS base
	WRMSR
	LEAQ ·kernelG(SB), R14
	MOVQ TLS, CX
	MOVQ R14, 0(CX)(TLS*1)

	BYTE $0xdb; BYTE $0xe3 // FNINIT
	LDMXCSR ·bootTable+80(SB)
	LEAQ ·stackArea(SB), SP
	ADDQ $(4095+5*4096), SP // the end of the kernel's stack, see stack_linux_amd64.go
	ANDQ $~4095, SP
	SUBQ $16, SP
	MOVQ SP, ·kernelSP(SB)
	MOVQ R12, 0(SP)
	CALL ·start(SB)
	JMP  ·resume(SB)

// tell ends the machine with the message at SI, behind whose end are six zeros: an
// interrupt table without entries. It needs no memory, no stack and, like boot32, no particular
// mode.
TEXT ·tell(SB),NOSPLIT|NOFRAME,$0
	MOVL $0x3f8, DX // the console
character:
	LODSB
	CMPB AX, $0
	JEQ  told
	OUTB
	JMP  character
told:
	MOVL $0xf4, DX // QEMU's isa-debug-exit
	MOVL $2, AX
	OUTL
	MOVL $0x64, DX // the keyboard controller resets the machine
	MOVL $0xfe, AX
	OUTB
	LIDT (SI) // or a fault that nobody serves does
	UNDEF

DATA ·smallMessage+0(SB)/8, $"\r\ncairn:"
DATA ·smallMessage+8(SB)/8, $" kernel:"
DATA ·smallMessage+16(SB)/8, $" the mac"
DATA ·smallMessage+24(SB)/8, $"hine has"
DATA ·smallMessage+32(SB)/8, $" less me"
DATA ·smallMessage+40(SB)/8, $"mory tha"
DATA ·smallMessage+48(SB)/8, $"n the im"
DATA ·smallMessage+56(SB)/8, $"age need"
DATA ·smallMessage+64(SB)/8, $"s\r\ncairn"
DATA ·smallMessage+72(SB)/8, $": exit s"
DATA ·smallMessage+80(SB)/8, $"tatus 2\r"
DATA ·smallMessage+88(SB)/2, $"\n\x00"
GLOBL ·smallMessage(SB), RODATA|NOPTR, $96

DATA ·loopMessage+0(SB)/8, $"\r\ncairn:"
DATA ·loopMessage+8(SB)/8, $" kernel:"
DATA ·loopMessage+16(SB)/8, $" one fau"
DATA ·loopMessage+24(SB)/8, $"lt cause"
DATA ·loopMessage+32(SB)/8, $"s anothe"
DATA ·loopMessage+40(SB)/8, $"r\r\ncairn"
DATA ·loopMessage+48(SB)/8, $": exit s"
DATA ·loopMessage+56(SB)/8, $"tatus 2\r"
DATA ·loopMessage+64(SB)/2, $"\n\x00"
GLOBL ·loopMessage(SB), RODATA|NOPTR, $72
