// Package monitor says how a process is doing: metrics in Prometheus' text form
// and a page for health checks. Both belong on an address of their own, which
// the public does not reach.
//
//	GET /metrics   counters, gauges and histograms, all named cairn_… beside Go's own
//	GET /healthz   200 and "ok", or 503 and a line for each thing that is wrong
//	GET /livez     200 as long as the process answers
package monitor

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"cairn/store"
	"cairn/store/observe"
)

// A Monitor collects what it is told and asks for the rest when it is read. Safe
// for concurrent use.
type Monitor struct {
	registry *prometheus.Registry
	commits  func(outcome string)
	objects  prometheus.Counter
	seconds  prometheus.Histogram

	mu     sync.Mutex // guards checks
	checks []check
}

type check struct {
	name  string
	wrong func() error
}

// Outcomes of a commit.
const (
	outcomeOK        = "ok"
	outcomeConflict  = "conflict"  // somebody was first; as a rule it is made again
	outcomeTemporary = "temporary" // disk full, host away
	outcomeError     = "error"
)

// New returns a Monitor that knows of the Go runtime and of commits.
func New() *Monitor {
	m := &Monitor{
		registry: prometheus.NewRegistry(),
		objects: prometheus.NewCounter(prometheus.CounterOpts{Name: "cairn_committed_objects_total",
			Help: "Objects that commits brought."}),
		seconds: prometheus.NewHistogram(prometheus.HistogramOpts{Name: "cairn_commit_seconds",
			Help:    "How long a commit took until it was durable.",
			Buckets: prometheus.ExponentialBuckets(0.0005, 2, 16)}),
	}
	m.registry.MustRegister(collectors.NewGoCollector(), m.objects, m.seconds)
	m.commits = m.Outcomes("commits_total", "Commits to the repository, each of one or more updates, by outcome.",
		outcomeOK, outcomeConflict, outcomeTemporary, outcomeError)
	return m
}

// Committed takes note of a commit.
func (m *Monitor) Committed(c observe.Commit) {
	m.commits(outcome(c.Err))
	if c.Err == nil {
		m.objects.Add(float64(c.Objects))
		m.seconds.Observe(c.Took.Seconds())
	}
}

func outcome(err error) string {
	_, conflict := errors.AsType[*store.ConflictError](err)
	switch {
	case err == nil:
		return outcomeOK
	case conflict:
		return outcomeConflict
	case errors.Is(err, store.ErrTemporary):
		return outcomeTemporary
	default:
		return outcomeError
	}
}

// Gauge adds a value that is asked for whenever the metrics are read. The name
// goes behind "cairn_"; labels are pairs of a key and a value. A gauge of that
// name and labels must not be there already.
func (m *Monitor) Gauge(name, help string, value func() float64, labels ...string) {
	m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "cairn_" + name, Help: help, ConstLabels: pairs(labels)}, value))
}

// Counter is Gauge for a value that only grows.
func (m *Monitor) Counter(name, help string, value func() float64, labels ...string) {
	m.registry.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{
		Name: "cairn_" + name, Help: help, ConstLabels: pairs(labels)}, value))
}

// Histogram returns a function that takes note of a duration in seconds.
func (m *Monitor) Histogram(name, help string, labels ...string) func(seconds float64) {
	h := prometheus.NewHistogram(prometheus.HistogramOpts{Name: "cairn_" + name, Help: help,
		ConstLabels: pairs(labels), Buckets: prometheus.ExponentialBuckets(0.0005, 2, 16)})
	m.registry.MustRegister(h)
	return h.Observe
}

// Outcomes returns a function that counts by outcome. Those named are there from the
// beginning, at 0.
func (m *Monitor) Outcomes(name, help string, outcomes ...string) func(outcome string) {
	c := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "cairn_" + name, Help: help}, []string{"outcome"})
	m.registry.MustRegister(c)
	for _, outcome := range outcomes {
		c.WithLabelValues(outcome)
	}
	return func(outcome string) { c.WithLabelValues(outcome).Inc() }
}

func pairs(labels []string) prometheus.Labels {
	l := prometheus.Labels{}
	for pair := range slices.Chunk(labels, 2) {
		l[pair[0]] = pair[1]
	}
	return l
}

// Check adds something that can be wrong. wrong is asked whenever the health is,
// and must be quick; nil is well.
func (m *Monitor) Check(name string, wrong func() error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.checks = append(m.checks, check{name, wrong})
}

// ServeHTTP implements http.Handler.
func (m *Monitor) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	switch r.URL.Path {
	case "/metrics":
		promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{}).ServeHTTP(w, r)
	case "/healthz":
		m.health(w)
	case "/livez":
		fmt.Fprintln(w, "ok")
	default:
		http.NotFound(w, r)
	}
}

func (m *Monitor) health(w http.ResponseWriter) {
	m.mu.Lock()
	checks := slices.Clone(m.checks)
	m.mu.Unlock()
	var wrong []string
	for _, c := range checks {
		if err := c.wrong(); err != nil {
			wrong = append(wrong, c.name+": "+strings.ReplaceAll(err.Error(), "\n", "; "))
		}
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	if len(wrong) == 0 {
		fmt.Fprintln(w, "ok")
		return
	}
	w.WriteHeader(http.StatusServiceUnavailable)
	for _, line := range wrong {
		fmt.Fprintln(w, line)
	}
}
