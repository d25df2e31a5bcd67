package look

import (
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

func TestStyle(t *testing.T) {
	a, sourceA := Style("")
	b, sourceB := Style(".x{}")
	if sourceA == sourceB || !strings.HasPrefix(sourceA, "'sha256-") {
		t.Errorf("got sources %s and %s, want two hashes", sourceA, sourceB)
	}
	if !strings.HasSuffix(string(b), ".x{}</style>") || strings.Count(string(a), "<") != 2 {
		t.Errorf("the element is not one: %.60s…", a)
	}
}

// Every colour of text is readable on every ground that it stands on.
func TestContrast(t *testing.T) {
	themes := regexp.MustCompile(`:root\{color-scheme[^}]*\}|:root\{--ink:#e[^}]*\}`).FindAllString(css, -1)
	if len(themes) != 2 {
		t.Fatalf("got %d themes, want 2", len(themes))
	}
	for _, theme := range themes {
		colour := map[string]string{}
		for _, m := range regexp.MustCompile(`--([a-z-]+):(#[0-9a-f]+)`).FindAllStringSubmatch(theme, -1) {
			colour[m[1]] = m[2]
		}
		for _, pair := range []string{"ink paper", "ink raised", "ink well", "ink good", "ink bad", "soft paper", "soft raised", "soft well",
			"accent paper", "accent raised", "accent well", "accent good", "danger paper", "danger raised", "on-accent accent"} {
			text, ground, _ := strings.Cut(pair, " ")
			if got := contrast(t, colour[text], colour[ground]); got < 4.5 {
				t.Errorf("%s on %s (%s on %s): got a contrast of %.2f, want 4.5", text, ground, colour[text], colour[ground], got)
			}
		}
	}
}

// contrast is the ratio of WCAG 2.2.
func contrast(t *testing.T, a, b string) float64 {
	x, y := luminance(t, a), luminance(t, b)
	return (max(x, y) + .05) / (min(x, y) + .05)
}

func luminance(t *testing.T, hex string) float64 {
	t.Helper()
	if len(hex) == 4 {
		hex = fmt.Sprintf("#%c%c%c%c%c%c", hex[1], hex[1], hex[2], hex[2], hex[3], hex[3])
	}
	sum := 0.0
	for i, weight := range []float64{.2126, .7152, .0722} {
		n, err := strconv.ParseUint(hex[1+2*i:3+2*i], 16, 8)
		if err != nil {
			t.Fatal(err)
		}
		c := float64(n) / 255
		if c <= .04045 {
			c /= 12.92
		} else {
			c = math.Pow((c+.055)/1.055, 2.4)
		}
		sum += weight * c
	}
	return sum
}
