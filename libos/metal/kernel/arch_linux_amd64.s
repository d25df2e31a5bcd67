#include "textflag.h"

// The instructions that Go has no words for. Declared and explained in
// arch_linux_amd64.go.

TEXT ·outb(SB),NOSPLIT,$0-3
	MOVW port+0(FP), DX
	MOVB v+2(FP), AX
	OUTB
	RET

TEXT ·outw(SB),NOSPLIT,$0-4
	MOVW port+0(FP), DX
	MOVW v+2(FP), AX
	OUTW
	RET

TEXT ·outl(SB),NOSPLIT,$0-8
	MOVW port+0(FP), DX
	MOVL v+4(FP), AX
	OUTL
	RET

TEXT ·inb(SB),NOSPLIT,$0-9
	MOVW port+0(FP), DX
	XORL AX, AX
	INB
	MOVB AX, ret+8(FP)
	RET

TEXT ·inw(SB),NOSPLIT,$0-10
	MOVW port+0(FP), DX
	XORL AX, AX
	INW
	MOVW AX, ret+8(FP)
	RET

TEXT ·inl(SB),NOSPLIT,$0-12
	MOVW port+0(FP), DX
	INL
	MOVL AX, ret+8(FP)
	RET

TEXT ·rdmsr(SB),NOSPLIT,$0-16
	MOVL reg+0(FP), CX
	RDMSR
	SHLQ $32, DX
	ORQ  DX, AX
	MOVQ AX, ret+8(FP)
	RET

TEXT ·wrmsr(SB),NOSPLIT,$0-16
	MOVL reg+0(FP), CX
	MOVQ v+8(FP), AX
	MOVQ AX, DX
	SHRQ $32, DX
	WRMSR
	RET

TEXT ·rdtsc(SB),NOSPLIT,$0-8
	RDTSC
	SHLQ $32, DX
	ORQ  DX, AX
	MOVQ AX, ret+0(FP)
	RET

TEXT ·cpuid(SB),NOSPLIT,$0-24
	MOVL leaf+0(FP), AX
	MOVL sub+4(FP), CX
	CPUID
	MOVL AX, a+8(FP)
	MOVL BX, b+12(FP)
	MOVL CX, c+16(FP)
	MOVL DX, d+20(FP)
	RET

TEXT ·rdrand(SB),NOSPLIT,$0-9
	MOVL $32, CX // Intel's manual gives up after ten
	MOVB $1, ok+8(FP)
again:
	RDRANDQ AX
	JCS     done
	DECL    CX
	JNZ     again
	MOVB    $0, ok+8(FP)
	XORL    AX, AX
done:
	MOVQ AX, v+0(FP)
	RET

TEXT ·readCR2(SB),NOSPLIT,$0-8
	MOVQ CR2, AX
	MOVQ AX, ret+0(FP)
	RET

TEXT ·readCR3(SB),NOSPLIT,$0-8
	MOVQ CR3, AX
	MOVQ AX, ret+0(FP)
	RET

TEXT ·writeCR3(SB),NOSPLIT,$0-8
	MOVQ v+0(FP), AX
	MOVQ AX, CR3
	RET

TEXT ·readCR4(SB),NOSPLIT,$0-8
	MOVQ CR4, AX
	MOVQ AX, ret+0(FP)
	RET

TEXT ·writeCR4(SB),NOSPLIT,$0-8
	MOVQ v+0(FP), AX
	MOVQ AX, CR4
	RET

TEXT ·invlpg(SB),NOSPLIT,$0-8
	MOVQ   va+0(FP), AX
	INVLPG (AX)
	RET

TEXT ·xsetbv(SB),NOSPLIT,$0-8
	XORL CX, CX
	MOVQ mask+0(FP), AX
	MOVQ AX, DX
	SHRQ $32, DX
	XSETBV
	RET

TEXT ·lgdt(SB),NOSPLIT,$0-8
	MOVQ p+0(FP), AX
	LGDT (AX)
	RET

TEXT ·lidt(SB),NOSPLIT,$0-8
	MOVQ p+0(FP), AX
	LIDT (AX)
	RET

TEXT ·ltr(SB),NOSPLIT,$0-2
	MOVW selector+0(FP), AX
	LTR  AX
	RET

TEXT ·pause(SB),NOSPLIT,$0
	PAUSE
	RET

TEXT ·halt(SB),NOSPLIT,$0
	CLI
	HLT
	JMP -2(PC) // an NMI ends HLT

// metalCall is a private system call, made from ordinary code.
TEXT ·metalCall(SB),NOSPLIT,$0-48
	MOVQ number+0(FP), AX
	MOVQ a1+8(FP), DI
	MOVQ a2+16(FP), SI
	MOVQ a3+24(FP), DX
	MOVQ a4+32(FP), R10
	SYSCALL
	MOVQ AX, ret+40(FP)
	RET
