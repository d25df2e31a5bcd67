#include "textflag.h"

// vdsoClockGettime(clock DI, timespec SI) AX: what wallNow (clock 0) and nanotime
// (clock 1) do, for the program; other clocks take the trap. It may change only what a C
// function may. If the kernel sets the clock anew in the middle, which seq
// tells, it begins again.
TEXT ·vdsoClockGettime(SB),NOSPLIT|NOFRAME,$0
	CMPQ DI, $1
	JHI  trap
	SUBQ $1, DI // all ones for the wall clock, 0 for the other
again:
	MOVQ ·clockPage+0(SB), R8   // seq
	LFENCE // RDTSC does not wait for what stands before it, a RDTSC least of all
	RDTSC
	SHLQ $32, DX
	ORQ  DX, AX
	SUBQ ·clockPage+8(SB), AX   // mono.tsc
	MULQ ·clockPage+24(SB)      // mono.mul
	SHRQ $40, DX, AX            // clockShift
	ADDQ ·clockPage+16(SB), AX  // mono.ns
	MOVQ ·clockPage+32(SB), R9  // wall
	CMPQ R8, ·clockPage+0(SB)
	JNE  again

	ANDQ DI, R9
	ADDQ R9, AX
	XORL DX, DX
	MOVL $1000000000, CX
	DIVQ CX
	MOVQ AX, 0(SI)
	MOVQ DX, 8(SI)
	XORL AX, AX
	RET
trap:
	MOVL $228, AX // clock_gettime
	SYSCALL
	RET

TEXT ·vdsoFunction(SB),NOSPLIT,$0-8
	LEAQ ·vdsoClockGettime(SB), AX
	MOVQ AX, ret+0(FP)
	RET
