package monitor

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
)

// A registry holds metrics by name. It writes them as Prometheus reads them
// (Exposition formats, text format version 0.0.4).
type registry struct {
	mu       sync.Mutex // guards families
	families map[string]*family

	writing sync.Mutex // held by write
	refresh func()     // is called before anything is written, by one at a time
}

// A family are the metrics of one name, which differ in their labels.
type family struct {
	name, help, kind string
	metrics          map[string]metric // by their labels, as they are written
}

// A metric writes its values: a line each, of a name that begins as given.
type metric interface {
	write(w io.Writer, name, labels string)
}

// add adds a metric. There must be none of that name and those labels, nor one of
// that name and another kind: names are constants of programs.
func (r *registry) add(name, help, kind string, labels []string, m metric) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.families == nil {
		r.families = map[string]*family{}
	}
	f := r.families[name]
	if f == nil {
		f = &family{name, help, kind, map[string]metric{}}
		r.families[name] = f
	}
	written := writeLabels(labels)
	if f.kind != kind || f.metrics[written] != nil {
		panic(fmt.Sprintf("monitor: there is a %s %s{%s} already", f.kind, name, written))
	}
	f.metrics[written] = m
}

// write writes all metrics, by name and labels.
func (r *registry) write(w io.Writer) error {
	r.writing.Lock()
	defer r.writing.Unlock()
	if r.refresh != nil {
		r.refresh()
	}
	r.mu.Lock()
	families := slices.SortedFunc(maps.Values(r.families), func(a, b *family) int { return cmp.Compare(a.name, b.name) })
	r.mu.Unlock()
	b := bufio.NewWriter(w)
	for _, f := range families {
		fmt.Fprintf(b, "# HELP %s %s\n# TYPE %s %s\n", f.name, helpEscapes.Replace(f.help), f.name, f.kind)
		r.mu.Lock()
		metrics := maps.Clone(f.metrics)
		r.mu.Unlock()
		for _, labels := range slices.Sorted(maps.Keys(metrics)) {
			metrics[labels].write(b, f.name, labels)
		}
	}
	return b.Flush()
}

var (
	helpEscapes  = strings.NewReplacer(`\`, `\\`, "\n", `\n`)
	labelEscapes = strings.NewReplacer(`\`, `\\`, "\n", `\n`, `"`, `\"`)
)

// writeLabels are pairs of a key and a value as they stand between braces.
func writeLabels(pairs []string) string {
	var b strings.Builder
	for pair := range slices.Chunk(pairs, 2) {
		if b.Len() > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `%s="%s"`, pair[0], labelEscapes.Replace(pair[1]))
	}
	return b.String()
}

// sample writes one value.
func sample(w io.Writer, name, labels string, value float64) {
	if labels != "" {
		labels = "{" + labels + "}"
	}
	fmt.Fprintf(w, "%s%s %s\n", name, labels, number(value))
}

func number(f float64) string {
	switch {
	case math.IsInf(f, 1):
		return "+Inf"
	case math.IsInf(f, -1):
		return "-Inf"
	}
	return strconv.FormatFloat(f, 'g', -1, 64)
}

// asked is a value that is asked for when it is read.
type asked func() float64

func (a asked) write(w io.Writer, name, labels string) { sample(w, name, labels, a()) }

// A counter only grows.
type counter struct{ n atomic.Uint64 }

func (c *counter) write(w io.Writer, name, labels string) {
	sample(w, name, labels, float64(c.n.Load()))
}

// A histogram counts durations by how long they were.
type histogram struct {
	mu     sync.Mutex
	counts [len(bounds)]uint64 // of each bound, without those of the bounds below
	all    uint64
	sum    float64
}

// bounds are those of every histogram, in seconds: half a millisecond, and each twice the one
// before.
var bounds = func() (b [16]float64) {
	for i := range b {
		b[i] = 0.0005 * float64(uint(1)<<i)
	}
	return b
}()

func (h *histogram) observe(seconds float64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if i, _ := slices.BinarySearch(bounds[:], seconds); i < len(bounds) {
		h.counts[i]++
	}
	h.all++
	h.sum += seconds
}

func (h *histogram) write(w io.Writer, name, labels string) {
	h.mu.Lock()
	counts, all, sum := h.counts, h.all, h.sum
	h.mu.Unlock()
	below := uint64(0)
	bucket := func(bound float64, n uint64) {
		le := `le="` + number(bound) + `"`
		if labels != "" {
			le = labels + "," + le
		}
		sample(w, name+"_bucket", le, float64(n))
	}
	for i, n := range counts {
		below += n
		bucket(bounds[i], below)
	}
	bucket(math.Inf(1), all)
	sample(w, name+"_sum", labels, sum)
	sample(w, name+"_count", labels, float64(all))
}
