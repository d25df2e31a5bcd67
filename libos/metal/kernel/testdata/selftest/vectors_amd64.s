#include "textflag.h"

#define FILL(r) MOVQ AX, r; PUNPCKLQDQ r, r; ADDQ $1, AX
#define TEST(r) MOVQ AX, X0; PUNPCKLQDQ X0, X0; PCMPEQL r, X0; PMOVMSKB X0, CX; ANDL CX, DX; ADDQ $1, AX

// func fillVectors(rounds int) (kept bool)
//
// Numbers into X1 to X15, a while of nothing, and they must be there still.
TEXT ·fillVectors(SB),NOSPLIT,$0-9
	MOVQ rounds+0(FP), BX
	MOVQ $0x0123456789abcdef, AX
	FILL(X1); FILL(X2); FILL(X3); FILL(X4); FILL(X5); FILL(X6); FILL(X7); FILL(X8)
	FILL(X9); FILL(X10); FILL(X11); FILL(X12); FILL(X13); FILL(X14); FILL(X15)
while:
	DECQ BX
	JNZ  while
	MOVQ $0x0123456789abcdef, AX
	MOVL $0xffff, DX
	TEST(X1); TEST(X2); TEST(X3); TEST(X4); TEST(X5); TEST(X6); TEST(X7); TEST(X8)
	TEST(X9); TEST(X10); TEST(X11); TEST(X12); TEST(X13); TEST(X14); TEST(X15)
	CMPL DX, $0xffff
	SETEQ kept+8(FP)
	PXOR X15, X15
	RET

// func afterCall() (x15 uint64)
//
// What is in X15, where something was, after a system call.
TEXT ·afterCall(SB),NOSPLIT,$0-8
	MOVQ $-1, AX
	MOVQ AX, X15
	MOVQ $39, AX
	SYSCALL
	MOVQ X15, AX
	PXOR X15, X15
	MOVQ AX, x15+0(FP)
	RET
