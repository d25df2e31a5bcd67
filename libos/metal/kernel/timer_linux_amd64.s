#include "textflag.h"

// fence waits until the local APIC has taken what was written to its registers:
// writes to memory and to model-specific registers are not ordered otherwise
// (Intel SDM, volume 3, 10.5.4.1).
TEXT ·fence(SB),NOSPLIT,$0
	MFENCE
	RET
