package kernel

// The time of day comes from KVM, or else from the CMOS real-time clock, which
// counts whole seconds: it is then up to one second late, for good. Where a
// machine has neither, it is 1970, and all that depends on a date says so.

const (
	rtcIndex = 0x70
	rtcData  = 0x71

	rtcSecond  = 0
	rtcMinute  = 2
	rtcHour    = 4
	rtcDay     = 7
	rtcMonth   = 8
	rtcYear    = 9
	rtcStatusA = 10
	rtcStatusB = 11

	rtcUpdating = 1 << 7 // of status A: the others change within 244 µs
	rtcPolls    = 10_000 // of status A, each at least 0.1 µs
	rtcTries    = 20
)

func wallInit() {
	if clockReference == kvmReference {
		if now := kvmWallNow(); now > 0 {
			clockPage.wall = now - nanotime()
			return
		}
	}
	seconds, ok := rtcNow().unix()
	if !ok {
		kputs("cairn: kernel: the real-time clock shows no date, so it is 1970\n")
	}
	clockPage.wall = seconds*nsPerSecond - nanotime()
}

// rtcNow reads the clock until no second has begun meanwhile.
func rtcNow() rtcTime {
	var r rtcTime
	for range rtcTries {
		r = rtcRead()
		if rtcRegister(rtcStatusA)&rtcUpdating == 0 && rtcRegister(rtcSecond) == r.second {
			break
		}
	}
	return r
}

func rtcRead() rtcTime {
	for range rtcPolls {
		if rtcRegister(rtcStatusA)&rtcUpdating == 0 {
			break
		}
	}
	r := rtcTime{
		second: rtcRegister(rtcSecond), minute: rtcRegister(rtcMinute), hour: rtcRegister(rtcHour),
		day: rtcRegister(rtcDay), month: rtcRegister(rtcMonth), year: rtcRegister(rtcYear),
		status: rtcRegister(rtcStatusB),
	}
	if fadt.century != 0 {
		r.century = rtcRegister(fadt.century)
	}
	return r
}

func rtcRegister(i uint8) uint8 {
	outb(rtcIndex, i)
	return inb(rtcData)
}
