// Package measure compares two ways of doing the same work, ours and that of
// the tool somebody would use instead, and prints what came out as a table.
//
// The two run in turn, round by round, so that a noisy machine disturbs
// both; a ratio is taken within each round, and the table shows the median of
// the rounds with the lowest and highest beside it.
package measure

import (
	"runtime"
	"slices"
)

// A Unit is what a figure counts, and so whether more of it is better.
type Unit int

const (
	PerSecond Unit = iota // more is better
	Seconds               // less is better, as for all that follow
	Bytes
	Lines // of code
)

// A Result is a line of the table.
type Result struct {
	Work string // what was done
	Size int    // how many files (or what the work counts) there were
	Unit Unit
	Ours []float64 // a figure for each round
	Peer []float64 // the same for the other tool; empty when there is none
	Tool string    // what the other tool is
	Goal Goal
}

// A Goal is what a Result should reach. The zero Goal asks nothing.
type Goal struct {
	Ratio float64 // ours over the peer's: at least this PerSecond, else at most
	Value float64 // ours alone, likewise
}

// Ratios divides ours by the peer's, round by round.
func (r *Result) Ratios() []float64 {
	var ratios []float64
	for i := range min(len(r.Ours), len(r.Peer)) {
		ratios = append(ratios, r.Ours[i]/r.Peer[i])
	}
	return ratios
}

// Met says whether the median reaches the goal.
func (r *Result) Met() bool {
	return r.reaches(Median(r.Ratios()), r.Goal.Ratio) && r.reaches(Median(r.Ours), r.Goal.Value)
}

func (r *Result) reaches(got, goal float64) bool {
	switch {
	case goal == 0:
		return true
	case r.Unit == PerSecond:
		return got >= goal
	default:
		return got <= goal
	}
}

// Median returns the middle one of the figures, 0 when there are none.
func Median(figures []float64) float64 {
	if len(figures) == 0 {
		return 0
	}
	s := slices.Sorted(slices.Values(figures))
	return (s[(len(s)-1)/2] + s[len(s)/2]) / 2
}

// InTurn runs ours and peer in turn, each as often as rounds says, and changes
// every round who begins. What each returns is its figure.
func InTurn(rounds int, ours, peer func() (float64, error)) (a, b []float64, err error) {
	a, b = make([]float64, rounds), make([]float64, rounds)
	for i := range rounds {
		order := []func() error{
			func() (err error) { a[i], err = ours(); return err },
			func() (err error) { b[i], err = peer(); return err },
		}
		if i%2 == 1 {
			slices.Reverse(order)
		}
		for _, run := range order {
			runtime.GC() // what one leaves is not the other's to clear away
			if err := run(); err != nil {
				return nil, nil, err
			}
		}
	}
	return a, b, nil
}
