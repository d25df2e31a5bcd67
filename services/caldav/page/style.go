package page

import (
	_ "embed"
	"html/template"
	"math"
	"net/url"
	"regexp"
	"strconv"
	"strings"

	"cairn/services/look"
)

//go:embed page.css
var css string

//go:embed page.html
var source string

var pages = template.Must(template.New("page.html").Funcs(template.FuncMap{"logo": func() template.HTML { return look.Logo }}).Parse(source))

var sixDigits = regexp.MustCompile(`^#[0-9a-fA-F]{6}([0-9a-fA-F]{2})?$`)

// style returns the page's style sheet, in which events have the calendar's colour
// and text on it is black or white, whatever can be read better.
func style(colour string) (template.HTML, string) {
	more := css
	if sixDigits.MatchString(colour) {
		colour = colour[:7]
		on := "#fff"
		if luminance(colour) > .179 { // where black and white contrast alike
			on = "#000"
		}
		more += ":root{--event:" + colour + ";--on-event:" + on + "}"
	}
	return look.Style(more)
}

// luminance is the relative luminance of WCAG 2.2.
func luminance(hex string) float64 {
	sum := 0.0
	for i, weight := range []float64{.2126, .7152, .0722} {
		n, _ := strconv.ParseUint(hex[1+2*i:3+2*i], 16, 8) // sixDigits has looked
		if c := float64(n) / 255; c <= .04045 {
			sum += weight * c / 12.92
		} else {
			sum += weight * math.Pow((c+.055)/1.055, 2.4)
		}
	}
	return sum
}

// Title is the heading of what is shown.
func (v *view) Title() string {
	switch {
	case !v.Agenda:
		return v.from.time().Format("January 2006")
	case v.from == v.today:
		return "What comes next"
	}
	return "From " + v.from.time().Format("2 January 2006")
}

// ZoneName says in which zone times are.
func (v *view) ZoneName() string { return strings.ReplaceAll(v.zone.String(), "_", " ") }

// Webcal is the feed's address for programs that subscribe by themselves.
func (v *view) Webcal() template.URL {
	u, err := url.Parse(v.Feed)
	if err != nil || u.Host == "" {
		return ""
	}
	u.Scheme = "webcal"
	return template.URL(u.String()) // html/template does not know the scheme
}

func (v *view) link(query string) string { return v.Path + query }

// Links to other views; Before and After are empty where nothing can be asked for.
func (v *view) MonthLink() string  { return v.link("?month=" + v.from.time().Format("2006-01")) }
func (v *view) AgendaLink() string { return v.link("?view=agenda" + v.after()) }

// after keeps the agenda where the month is, unless it is now.
func (v *view) after() string {
	if v.from.month() == v.today.month() {
		return ""
	}
	return "&from=" + v.from.ISO()
}

func (v *view) TodayLink() string {
	if v.Agenda {
		return v.link("?view=agenda")
	}
	return v.Path
}

func (v *view) BeforeLink() string { return v.step(-1) }
func (v *view) AfterLink() string  { return v.step(1) }

func (v *view) step(n int) string {
	to, format := v.from.addMonths(n), "?month=2006-01"
	if v.Agenda {
		to, format = v.from.add(n*agendaDays), "?view=agenda&from=2006-01-02"
	}
	if y := to.time().Year(); y < firstYear || y > lastYear {
		return ""
	}
	return v.link(to.time().Format(format))
}

// BeforeName and AfterName say where they lead.
func (v *view) BeforeName() string { return v.stepName(-1, "Earlier") }
func (v *view) AfterName() string  { return v.stepName(1, "Later") }

func (v *view) stepName(n int, agenda string) string {
	if v.Agenda {
		return agenda
	}
	return v.from.addMonths(n).time().Format("January 2006")
}

// Weekdays head the columns of a month.
func (v *view) Weekdays() []string {
	return []string{"Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"}
}
