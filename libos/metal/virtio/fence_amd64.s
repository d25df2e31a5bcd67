#include "textflag.h"

// func fence()
TEXT ·fence(SB),NOSPLIT,$0
	MFENCE
	RDTSC
	RET
