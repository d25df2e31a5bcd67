package kernel

// An rtcTime is what the registers of a CMOS real-time clock hold.
type rtcTime struct {
	second, minute, hour, day, month, year, century uint8
	status                                          uint8 // register B: how to read the others
}

const (
	rtc24Hours = 1 << 1 // of the status
	rtcBinary  = 1 << 2
	rtcPM      = 1 << 7 // of the hour, when it counts to 12
)

// unix is the time in seconds since 1970; false says that the registers hold no time
// between 1970 and 2399. A century that is none means the years from 1970 to 2069.
func (r rtcTime) unix() (int64, bool) {
	year, century := r.number(r.year), r.number(r.century)
	switch {
	case century >= 19 && century <= 23:
		year += century * 100
	case year < 70:
		year += 2000
	default:
		year += 1900
	}
	hour, ok := r.hours()
	month, day := r.number(r.month), r.number(r.day)
	minute, second := r.number(r.minute), r.number(r.second)
	if !ok || r.number(r.year) > 99 || minute > 59 || second > 60 ||
		year < 1970 || year > 2399 || month < 1 || month > 12 || day < 1 || day > 31 {
		return 0, false
	}
	return ((days(year, month, day)*24+hour)*60+minute)*60 + second, true
}

// hours is the hour from 0 to 23; ok is false if there is no such hour.
func (r rtcTime) hours() (hour int64, ok bool) {
	if r.status&rtc24Hours != 0 {
		hour = r.number(r.hour)
		return hour, hour <= 23
	}
	hour = r.number(r.hour &^ rtcPM)
	if hour < 1 || hour > 12 {
		return 0, false
	}
	hour %= 12
	if r.hour&rtcPM != 0 {
		hour += 12
	}
	return hour, true
}

// number is a register as a number; one that is no decimal where it should be gives 255.
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
	if month <= 2 { // a year that begins in March has its odd day at the end
		year--
		month += 12
	}
	return 365*year + year/4 - year/100 + year/400 + (153*(month-3)+2)/5 + day - 1 - 719468
}
