package junk

import (
	"cmp"
	"math"
	"slices"
)

// Unsure is the score of a message about which the filter has nothing to say. From
// Surely on it is junk.
const (
	Unsure = 0.5
	Surely = 0.9
)

const (
	// strength is how many messages the prejudice about an unknown word is worth.
	strength = 0.02
	// clear is how far from 0.5 the probability of a word has to be for it to count.
	clear    = 0.12
	maxClues = 150
	// sureSpam and sureHam are the mean log odds, to either side, of messages that teach
	// nothing new. More is learned of what is wanted: what is thought to be junk wrongly does more harm.
	sureSpam = 1.39
	sureHam  = 1.8
)

// surely is the mean log odds from which on a message is junk, after so many
// lessons of the kind of which there were fewer: who knows little has to be surer. The numbers are
// chosen so that in random parts of the corpus that the tests use, of 100 to 3000 messages, about one wanted
// message in a thousand is above it.
func surely(lessons int) float64 { return 0.18 + 240/float64(lessons+120) }

// odds returns the mean log odds of a message being junk that follow from
// its clearest words; 0 when none is known.
func odds(words []word, probability func(word) float64) float64 {
	var clues []float64
	for _, w := range words {
		if p := probability(w); math.Abs(p-0.5) >= clear {
			clues = append(clues, p)
		}
	}
	if len(clues) == 0 {
		return 0
	}
	slices.SortFunc(clues, func(a, b float64) int { return cmp.Compare(math.Abs(b-0.5), math.Abs(a-0.5)) })
	clues = clues[:min(len(clues), maxClues)]
	sum := 0.0
	for _, p := range clues {
		sum += math.Log(p / (1 - p))
	}
	return sum / float64(len(clues))
}

// probability is Robinson's f(w): that of a message with the word being junk.
func (s *state) probability(c count) float64 {
	c.spam, c.ham = max(0, c.spam), max(0, c.ham)
	n := float64(c.spam) + float64(c.ham)
	if n == 0 {
		return 0.5
	}
	spam := float64(c.spam) / float64(max(1, s.spam))
	ham := float64(c.ham) / float64(max(1, s.ham))
	return (strength*0.5 + n*spam/(spam+ham)) / (strength + n)
}

// score makes a score of mean log odds.
func (s *state) score(odds float64) float64 {
	steep := math.Log(Surely/(1-Surely)) / surely(min(s.seenSpam, s.seenHam))
	return 1 / (1 + math.Exp(-steep*odds))
}
