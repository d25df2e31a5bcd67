package kernel

// The time of day comes from KVM, or else from the CMOS real-time clock. That one
// counts whole seconds: the time is up to one second late at first, and catches up
// whenever a later look finds it late, so that within the hour it is late by
// some hundredths. It follows a clock that goes forward, as after the machine
// stood still, and never goes back. Where a machine has neither, it is 1970, and
// all that depends on a date says so.

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

	rtcAbsent   = 0xff   // what is read where there is no clock; of one it would be stopped, and busy
	rtcUpdating = 1 << 7 // of status A: the others change within 244 µs
	rtcPolls    = 10_000 // of status A, each at least 0.1 µs
	rtcTries    = 20
)

// wallInit sets the time of day.
func wallInit() {
	now, ok := wallRead()
	if !ok {
		kputs("cairn: kernel: the real-time clock shows no date, so it is 1970\n")
		return
	}
	clockPage.wall = now - nanotime()
}

// wallFollow makes the time of day that of the clock it comes from, if that is later.
func wallFollow() {
	if now, ok := wallRead(); ok {
		clockPage.wall = max(clockPage.wall, now-nanotime())
	}
}

// wallRead asks for the time of day, in nanoseconds since 1970; false: nobody knows.
func wallRead() (ns int64, ok bool) {
	if clockReference == kvmReference {
		ns = kvmWallNow()
		return ns, ns > 0
	}
	if rtcRegister(rtcStatusA) == rtcAbsent {
		return 0, false // else each look would take as long as a clock may be busy, many times over
	}
	seconds, ok := rtcNow().unix()
	return seconds * nsPerSecond, ok
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
