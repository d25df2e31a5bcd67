#include "textflag.h"

// kernelStack becomes kernel code, on the kernel's stack, and recurses for ever.
TEXT ·kernelStack(SB),NOSPLIT|NOFRAME,$0
	CLI
	MOVQ cairn∕libos∕metal∕kernel·kernelSP(SB), SP
	PUSHQ $8
	LEAQ ·recurseForEver(SB), AX
	PUSHQ AX
	RETFQ

TEXT ·recurseForEver(SB),NOSPLIT|NOFRAME,$0
	SUBQ $8, SP
	MOVQ AX, 0(SP)
	JMP  -2(PC)

TEXT ·nmi(SB),NOSPLIT|NOFRAME,$0
	INT $2
	RET

TEXT ·machineCheck(SB),NOSPLIT|NOFRAME,$0
	INT $18
	RET

// doubleFault takes the stack for faults away and then faults.
TEXT ·doubleFault(SB),NOSPLIT|NOFRAME,$0
	CLI
	MOVQ $0x10, AX
	MOVQ AX, cairn∕libos∕metal∕kernel·tss+44(SB)
	MOVQ 0, AX
	RET

// manyFaults lets the kernel believe that it faulted often, on the way to a message.
TEXT ·manyFaults(SB),NOSPLIT,$0-0
	MOVL $5, cairn∕libos∕metal∕kernel·nested(SB)
	RET
