#include "textflag.h"

// Into the kernel and out of it. The layout of a thread's page is type thread
// in thread_linux_amd64.go, the order of registers type frame.

#define vector 0x78
#define rip    0x88
#define cs     0x90
#define rflags 0x98
#define rsp    0xa0
#define ss     0xa8
#define ownG   0xb8
#define fpLive 0xc0
#define fpArea 0x400

#define threadCode 0x18

// SAVE stores the registers where SP points, which is a thread's page.
#define SAVE \
	MOVQ R15, 0x00(SP); \
	MOVQ R14, 0x08(SP); \
	MOVQ R13, 0x10(SP); \
	MOVQ R12, 0x18(SP); \
	MOVQ R11, 0x20(SP); \
	MOVQ R10, 0x28(SP); \
	MOVQ R9, 0x30(SP); \
	MOVQ R8, 0x38(SP); \
	MOVQ DI, 0x40(SP); \
	MOVQ SI, 0x48(SP); \
	MOVQ BP, 0x50(SP); \
	MOVQ BX, 0x58(SP); \
	MOVQ DX, 0x60(SP); \
	MOVQ CX, 0x68(SP); \
	MOVQ AX, 0x70(SP)

// LOAD is the reverse; SP then points at the return address and what goes with it.
#define LOAD \
	MOVQ 0x00(SP), R15; \
	MOVQ 0x08(SP), R14; \
	MOVQ 0x10(SP), R13; \
	MOVQ 0x18(SP), R12; \
	MOVQ 0x20(SP), R11; \
	MOVQ 0x28(SP), R10; \
	MOVQ 0x30(SP), R9; \
	MOVQ 0x38(SP), R8; \
	MOVQ 0x40(SP), DI; \
	MOVQ 0x48(SP), SI; \
	MOVQ 0x50(SP), BP; \
	MOVQ 0x58(SP), BX; \
	MOVQ 0x60(SP), DX; \
	MOVQ 0x68(SP), CX; \
	MOVQ 0x70(SP), AX; \
	ADDQ $rip, SP

// SAVEFP and LOADFP store and load the FPU's registers, with XSAVE where there is
// one. They use AX and DX. The header of an area that was never saved to is zero.
#define SAVEFP(area) \
	CMPQ ·xsaveMask(SB), $0; \
	JEQ  5(PC); \
	MOVL $-1, AX; \
	MOVL AX, DX; \
	XSAVE64 area; \
	JMP  2(PC); \
	FXSAVE64 area

#define LOADFP(area) \
	CMPQ ·xsaveMask(SB), $0; \
	JEQ  5(PC); \
	MOVL $-1, AX; \
	MOVL AX, DX; \
	XRSTOR64 area; \
	JMP  2(PC); \
	FXRSTOR64 area

// The g that Go code in the kernel believes to run on: all zeros, so that no
// stack check ever fires.
GLOBL ·kernelG(SB), NOPTR, $1024

// A block of thread-local storage; FS base is 64 bytes in.
GLOBL ·kernelTLS(SB), NOPTR, $128

// All stacks, see stack_linux_amd64.go.
GLOBL ·stackArea(SB), NOPTR, $(18*4096)

GLOBL ·kernelSP(SB), NOPTR, $8  // where the kernel's stack begins
GLOBL ·enteredSP(SB), NOPTR, $8 // SP of a thread, or of the stack of a trap, for a moment on the way in
GLOBL ·nested(SB), NOPTR, $8    // traps inside the kernel, one in another

// enterSyscall is where SYSCALL leads: CX = return address, R11 = flags,
// interrupts off, all else as the thread left it.
TEXT ·enterSyscall(SB),NOSPLIT|NOFRAME,$0
	MOVQ SP, ·enteredSP(SB)
	MOVQ ·current(SB), SP
	SAVE
	MOVQ $256, vector(SP)
	MOVQ CX, rip(SP)
	MOVQ $threadCode, cs(SP)
	MOVQ R11, rflags(SP)
	MOVQ ·enteredSP(SB), AX
	MOVQ AX, rsp(SP)
	MOVQ $16, ss(SP)
	JMP  ·enterKernel(SB)

// enterKernel: SP = the thread's page, all of its registers saved.
TEXT ·enterKernel(SB),NOSPLIT|NOFRAME,$0
	MOVQ SP, BX
	MOVQ TLS, CX
	MOVQ 0(CX)(TLS*1), AX
	MOVQ AX, ownG(BX)
	LEAQ ·kernelG(SB), R14
	MOVQ R14, 0(CX)(TLS*1)
	MOVQ ·kernelSP(SB), SP // BP stays, so that a dump shows whose call it was
	CLD
	CALL ·trap(SB)
	JMP  ·resume(SB)

// resume goes on with the thread ·current.
TEXT ·resume(SB),NOSPLIT|NOFRAME,$0
	MOVQ ·current(SB), SP
	MOVQ TLS, CX
	MOVQ ownG(SP), AX
	MOVQ AX, 0(CX)(TLS*1)
	PXOR X15, X15 // after a system call that is all that Go code expects
	CMPQ fpLive(SP), $0
	JEQ  registers
	MOVQ $0, fpLive(SP)
	LOADFP(fpArea(SP))
registers:
	LOAD
	IRETQ

// enterTrap is where the vectors lead: on the stack of an interrupt or a fault
// lie vector (as an address in the table below), error code and what IRETQ takes.
TEXT ·enterTrap(SB),NOSPLIT|NOFRAME,$0
	CMPQ 24(SP), $threadCode
	JNE  kernel
	MOVQ SP, ·enteredSP(SB)
	MOVQ ·current(SB), SP
	SAVE
	MOVQ ·enteredSP(SB), SI
	LEAQ vector(SP), DI
	MOVL $7, CX
	CLD
	REP; MOVSQ
	MOVQ $1, fpLive(SP)
	SAVEFP(fpArea(SP))
	JMP  ·enterKernel(SB)
kernel:
	JMP  ·enterAgain(SB)

// enterAgain: a trap inside the kernel itself. It touched a page of a thread that is
// not there yet, and goes on when it is; or all is lost.
TEXT ·enterAgain(SB),NOSPLIT|NOFRAME,$0
	SUBQ $vector, SP
	SAVE
	CLD
	MOVQ SP, BX
	INCL ·nested(SB)
	CMPL ·nested(SB), $1
	JNE  lost

	SUBQ $(64+3072), SP // an FPU area and, above it, where the frame is
	ANDQ $~63, SP
	MOVQ BX, 3072(SP)
	LEAQ 512(SP), DI // the area's header
	XORL AX, AX
	MOVL $8, CX
	REP; STOSQ
	SAVEFP(0(SP))

	SUBQ $64, SP
	MOVQ BX, 0(SP)
	MOVQ TLS, CX
	MOVQ 0(CX)(TLS*1), R12 // the kernel's g, unless this is the very way in or out
	MOVQ R12, 16(SP)
	LEAQ ·kernelG(SB), R14
	MOVQ R14, 0(CX)(TLS*1)
	CALL ·trapInKernel(SB)
	MOVQ TLS, CX
	MOVQ 16(SP), R12
	MOVQ R12, 0(CX)(TLS*1)
	ADDQ $64, SP

	LOADFP(0(SP))
	DECL ·nested(SB)
	MOVQ 3072(SP), SP
	LOAD
	IRETQ

lost:
	CMPL ·nested(SB), $4
	JGE  loop
	JMP  ·enterLast(SB)
loop:
	LEAQ ·loopMessage(SB), SI // the last words themselves fail, again and again
	JMP  ·tell(SB)

// enterFatal is where vectors lead after which nothing can go on.
TEXT ·enterFatal(SB),NOSPLIT|NOFRAME,$0
	SUBQ $vector, SP
	SAVE
	MOVQ SP, BX
	JMP  ·enterLast(SB)

// enterLast trusts nothing but the stack it is on, on which BX points to a frame.
TEXT ·enterLast(SB),NOSPLIT|NOFRAME,$0
	LEAQ ·kernelTLS(SB), AX
	ADDQ $64, AX
	MOVQ AX, DX
	SHRQ $32, DX
	MOVL $0xc0000100, CX
	WRMSR
	LEAQ ·kernelG(SB), R14
	MOVQ TLS, CX
	MOVQ R14, 0(CX)(TLS*1)
	SUBQ $64, SP
	ANDQ $~15, SP
	MOVQ BX, 0(SP)
	CLD
	CALL ·trapLast(SB)
	JMP  ·halt(SB)

// The table of vectors: seven bytes each, an error code of zero (PUSHQ $0, as
// bytes because the linker adds up what a function pushes) or, where the
// processor pushes one itself, a no-operation of the same length. The return
// address of the call tells which vector it was.
#define NOCODE BYTE $0x6a; BYTE $0x00; CALL ·enterTrap(SB)
#define CODE   BYTE $0x66; BYTE $0x90; CALL ·enterTrap(SB)
#define NOCODE_FATAL BYTE $0x6a; BYTE $0x00; CALL ·enterFatal(SB)
#define CODE_FATAL   BYTE $0x66; BYTE $0x90; CALL ·enterFatal(SB)
#define NOCODE4  NOCODE; NOCODE; NOCODE; NOCODE
#define NOCODE16 NOCODE4; NOCODE4; NOCODE4; NOCODE4

TEXT ·vectors(SB),NOSPLIT|NOFRAME,$0
	NOCODE; NOCODE; NOCODE_FATAL; NOCODE         // 0: divide, debug, NMI, breakpoint
	NOCODE4                                      // 4: overflow, bound, invalid opcode, no FPU
	CODE_FATAL; NOCODE; CODE; CODE               // 8: double fault, -, TSS, segment
	CODE; CODE; CODE; NOCODE                     // 12: stack, protection, page, -
	NOCODE; CODE; NOCODE_FATAL; NOCODE           // 16: x87, alignment, machine check, SIMD
	NOCODE; CODE; NOCODE; NOCODE                 // 20: virtualization, control protection
	NOCODE4                                      // 24
	NOCODE; CODE; CODE; NOCODE                   // 28: -, VMM communication, security, -
	NOCODE16; NOCODE16                           // 32
	NOCODE16; NOCODE16                           // 64
	INT $3

// idleLoop is the thread that runs when no other can.
TEXT ·idleLoop(SB),NOSPLIT|NOFRAME,$0
	HLT
	JMP -1(PC)

// Functions that return an address; they are declared in address_linux_amd64.go.
#define ADDRESS(fn, of) TEXT fn(SB),NOSPLIT,$0-8; LEAQ of(SB), AX; MOVQ AX, ret+0(FP); RET

ADDRESS(·addressOfNote, ·note)
ADDRESS(·addressOfVectors, ·vectors)
ADDRESS(·addressOfSyscall, ·enterSyscall)
ADDRESS(·addressOfIdle, ·idleLoop)
ADDRESS(·addressOfStacks, ·stackArea)
ADDRESS(·addressOfTLS, ·kernelTLS)
ADDRESS(·addressOfG, ·kernelG)
ADDRESS(·addressOfNames, runtime·pclntab)
ADDRESS(·addressOfText, runtime·text)
ADDRESS(·addressOfTextEnd, runtime·etext)

// saveFP stores the FPU's registers; p is a multiple of 64 and the area's header zero.
TEXT ·saveFP(SB),NOSPLIT,$0-8
	MOVQ p+0(FP), BX
	SAVEFP(0(BX))
	RET
