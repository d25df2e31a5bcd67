package measure

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
)

// Print writes results as a table that is Markdown and can be read as it is.
func Print(w io.Writer, results []Result) error {
	rows := [][]string{{"work", "size", "Cairn", "beside it", "", "ratio", "goal", ""}}
	for i := range results {
		rows = append(rows, results[i].row())
	}
	width := make([]int, len(rows[0]))
	for _, row := range rows {
		for i, cell := range row {
			width[i] = max(width[i], len([]rune(cell)))
		}
	}
	rule := make([]string, len(width))
	for i, n := range width {
		rule[i] = strings.Repeat("-", n)
	}
	for _, row := range slices.Insert(rows, 1, rule) {
		for i, cell := range row {
			row[i] = cell + strings.Repeat(" ", width[i]-len([]rune(cell)))
		}
		if _, err := fmt.Fprintf(w, "| %s |\n", strings.Join(row, " | ")); err != nil {
			return err
		}
	}
	return nil
}

func (r *Result) row() []string {
	row := []string{r.Work, strconv.Itoa(r.Size), spread(r.Ours, r.Unit.format), "", "", "", "", ""}
	if len(r.Peer) > 0 {
		row[3], row[4] = spread(r.Peer, r.Unit.format), r.Tool
		row[5] = spread(r.Ratios(), figure) + " ×"
	}
	if r.Goal == (Goal{}) {
		return row
	}
	sign := "≤ "
	if r.Unit == PerSecond {
		sign = "≥ "
	}
	if r.Goal.Ratio != 0 {
		row[6] = sign + figure(r.Goal.Ratio) + " ×"
	}
	if r.Goal.Value != 0 {
		row[6] = strings.TrimSpace(row[6] + " " + sign + r.Unit.format(r.Goal.Value))
	}
	row[7] = "short"
	if r.Met() {
		row[7] = "met"
	}
	return row
}

// spread writes the median, and the ends where they differ from it.
func spread(figures []float64, format func(float64) string) string {
	if len(figures) == 0 {
		return ""
	}
	s := format(Median(figures))
	low, high := format(slices.Min(figures)), format(slices.Max(figures))
	if low == high {
		return s
	}
	return fmt.Sprintf("%s (%s–%s)", s, low, high)
}

func (u Unit) format(x float64) string {
	switch u {
	case Seconds:
		return scaled(x, 1000, []string{" s", " ms", " µs", " ns"})
	case Bytes:
		return scaled(x/(1<<30), 1024, []string{" GiB", " MiB", " KiB", " B"})
	case Lines:
		return scaled(x/1e6, 1000, []string{"M", "k", ""})
	default:
		return scaled(x/1e6, 1000, []string{"M/s", "k/s", "/s"})
	}
}

// scaled writes x in the first unit in which it is at least one; each unit is
// so many of the next.
func scaled(x, step float64, units []string) string {
	i := 0
	for ; x < 1 && i < len(units)-1; i++ {
		x *= step
	}
	return figure(x) + units[i]
}

// figure writes three digits, or as many as stand before the point.
func figure(x float64) string {
	digits := 2
	for y := x; y >= 10 && digits > 0; y /= 10 {
		digits--
	}
	return strconv.FormatFloat(x, 'f', digits, 64)
}
