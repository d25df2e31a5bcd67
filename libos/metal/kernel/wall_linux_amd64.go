package kernel

// The time of day, from the CMOS real-time clock.

const (
	rtcIndex = 0x70
	rtcData  = 0x71

	rtcSecond  = 0
	rtcMinute  = 2
	rtcHour    = 4
	rtcDay     = 7
	rtcMonth   = 8
	rtcYear    = 9
	rtcStatusA = 10 // bit 7: an update is in progress
	rtcStatusB = 11 // bit 1: 24 hours; bit 2: binary
)

func rtcRead(reg uint8) uint8 {
	outb(rtcIndex, reg)
	return inb(rtcData)
}

// wallInit sets the time of day by the real-time clock, which knows whole seconds.
func wallInit() {
	var r rtcTime
	for range 100 {
		for polls := 0; rtcRead(rtcStatusA)&0x80 != 0 && polls < 100_000; polls++ {
		}
		again := r
		r = rtcTime{rtcRead(rtcSecond), rtcRead(rtcMinute), rtcRead(rtcHour), rtcRead(rtcDay), rtcRead(rtcMonth), rtcRead(rtcYear), 0, rtcRead(rtcStatusB)}
		if r == again {
			break
		}
	}
	seconds, ok := r.unix()
	if !ok {
		kputs("cairn: kernel: the real-time clock shows no date; the time of day is 1970\n")
	}
	clockPage.wall = seconds*nsPerSecond - nanotime()
}

// An rtcTime is what the registers of the clock hold.
type rtcTime struct {
	second, minute, hour, day, month, year, century, status uint8
}

const (
	rtc24Hours = 1 << 1
	rtcBinary  = 1 << 2
	rtcPM      = 0x80 // of the hour, when it counts to 12
)

// unix is the time in seconds since 1970; false says that it is no time between
// 1970 and 2399. A century of 0 means the one from 1970 to 2069.
func (r rtcTime) unix() (int64, bool) {
	pm := r.hour & rtcPM
	hour := r.number(r.hour &^ rtcPM)
	if r.status&rtc24Hours == 0 {
		if hour < 1 || hour > 12 {
			return 0, false
		}
		hour %= 12
		if pm != 0 {
			hour += 12
		}
	}
	year, century := r.number(r.year), r.number(r.century)
	switch {
	case century >= 19 && century <= 23:
		year += century * 100
	case year < 70:
		year += 2000
	default:
		year += 1900
	}
	month, day := r.number(r.month), r.number(r.day)
	minute, second := r.number(r.minute), r.number(r.second)
	if year < 1970 || month < 1 || month > 12 || day < 1 || day > 31 || hour > 23 || minute > 59 || second > 60 {
		return 0, false
	}
	return ((days(year, month, day)*24+hour)*60+minute)*60 + second, true
}

// number is a register in decimal; an impossible one gives a number that is too large.
func (r rtcTime) number(v uint8) int64 {
	if r.status&rtcBinary != 0 {
		return int64(v)
	}
	if v&15 > 9 || v>>4 > 9 {
		return 255
	}
	return int64(v>>4*10 + v&15)
}

// days counts the days from 1970-01-01 to a date of the Gregorian calendar.
func days(year, month, day int64) int64 {
	if month <= 2 {
		year--
		month += 12
	}
	return 365*year + year/4 - year/100 + year/400 + (153*(month-3)+2)/5 + day - 1 - 719468
}
