#include "textflag.h"

// func readCR3() uintptr
TEXT ·readCR3(SB),NOSPLIT,$0-8
	MOVQ CR3, AX
	MOVQ AX, ret+0(FP)
	RET

// func writeProtected() bool
TEXT ·writeProtected(SB),NOSPLIT,$0-1
	MOVQ CR0, AX
	SHRQ $16, AX
	ANDQ $1, AX
	MOVB AX, ret+0(FP)
	RET

// func textAddress() uintptr
TEXT ·textAddress(SB),NOSPLIT,$0-8
	LEAQ ·textAddress(SB), AX
	MOVQ AX, ret+0(FP)
	RET
