// Package monitor says how a process is doing: metrics in Prometheus' text form
// and a page for health checks. Both belong on an address of their own, which
// the public does not reach.
//
//	GET /metrics   counters, gauges and histograms, all named cairn_… beside Go's own
//	GET /healthz   200 and "ok", or 503 and a line for each thing that is wrong
//	GET /livez     200 as long as the process answers
//
// Metrics are few and need little, so they are kept and written here: Prometheus' own library brings
// protocol buffers along, a tenth of a whole service.
package monitor

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"

	"cairn/store"
	"cairn/store/observe"
)

// A Monitor collects what it is told and asks for the rest when it is read. Safe
// for concurrent use.
type Monitor struct {
	registry registry
	commits  func(outcome string)
	objects  *counter
	seconds  func(float64)

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
	m := &Monitor{objects: &counter{}}
	m.registry.addRuntime()
	m.registry.add("cairn_committed_objects_total", "Objects that commits brought.", "counter", nil, m.objects)
	m.seconds = m.Histogram("commit_seconds", "How long a commit took until it was durable.")
	m.commits = m.Outcomes("commits_total", "Commits to the repository, each of one or more updates, by outcome.",
		outcomeOK, outcomeConflict, outcomeTemporary, outcomeError)
	return m
}

// Committed takes note of a commit.
func (m *Monitor) Committed(c observe.Commit) {
	m.commits(outcome(c.Err))
	if c.Err == nil {
		m.objects.n.Add(uint64(c.Objects))
		m.seconds(c.Took.Seconds())
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
	m.registry.add("cairn_"+name, help, "gauge", labels, asked(value))
}

// Counter is Gauge for a value that only grows.
func (m *Monitor) Counter(name, help string, value func() float64, labels ...string) {
	m.registry.add("cairn_"+name, help, "counter", labels, asked(value))
}

// Histogram returns a function that takes note of a duration in seconds.
func (m *Monitor) Histogram(name, help string, labels ...string) func(seconds float64) {
	h := &histogram{}
	m.registry.add("cairn_"+name, help, "histogram", labels, h)
	return h.observe
}

// Outcomes returns a function that counts by outcome. Those named are there from the
// beginning, at 0.
func (m *Monitor) Outcomes(name, help string, outcomes ...string) func(outcome string) {
	var mu sync.Mutex // guards counters
	counters := map[string]*counter{}
	of := func(outcome string) *counter {
		mu.Lock()
		defer mu.Unlock()
		if counters[outcome] == nil {
			counters[outcome] = &counter{}
			m.registry.add("cairn_"+name, help, "counter", []string{"outcome", outcome}, counters[outcome])
		}
		return counters[outcome]
	}
	for _, outcome := range outcomes {
		of(outcome)
	}
	return func(outcome string) { of(outcome).n.Add(1) }
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
		w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
		if err := m.registry.write(w); err != nil {
			return // nobody reads any more
		}
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
