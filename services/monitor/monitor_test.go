package monitor_test

import (
	"errors"
	"fmt"
	"math"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"cairn/services/monitor"
	"cairn/store"
	"cairn/store/observe"
)

func get(m *monitor.Monitor, path string) (int, string) {
	w := httptest.NewRecorder()
	m.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
	return w.Code, w.Body.String()
}

func TestMetrics(t *testing.T) {
	m := monitor.New()
	m.Gauge("remote_lag_seconds", "How old what is shown may be.", func() float64 { return 1.5 }, "remote", "host")
	m.Counter("fetches_total", "Fetches.", func() float64 { return 7 })
	push := m.Histogram("push_seconds", "How long a push took.")
	push(0.25)
	pushed := m.Outcomes("pushes_total", "Pushes.", "ok", "away")
	pushed("ok")
	pushed("lost")
	m.Gauge("odd", "A \\ and\na line.", func() float64 { return math.Inf(1) }, "of", "a \"b\"\n\\c", "to", "d")
	m.Committed(observe.Commit{Objects: 3, Took: 20 * time.Millisecond})
	m.Committed(observe.Commit{Objects: 3, Took: time.Millisecond})
	m.Committed(observe.Commit{Err: fmt.Errorf("push: %w", &store.ConflictError{})})
	m.Committed(observe.Commit{Err: fmt.Errorf("push: %w", store.ErrTemporary)})
	m.Committed(observe.Commit{Err: errors.New("no")})
	code, text := get(m, "/metrics")
	if code != http.StatusOK {
		t.Fatalf("got status %d", code)
	}
	for _, want := range []string{
		`cairn_commits_total{outcome="ok"} 2`,
		`cairn_commits_total{outcome="conflict"} 1`,
		`cairn_commits_total{outcome="temporary"} 1`,
		`cairn_commits_total{outcome="error"} 1`,
		`cairn_committed_objects_total 6`,
		`cairn_commit_seconds_count 2`,
		`cairn_remote_lag_seconds{remote="host"} 1.5`,
		`cairn_fetches_total 7`,
		`cairn_pushes_total{outcome="ok"} 1`,
		`cairn_pushes_total{outcome="away"} 0`,
		`cairn_pushes_total{outcome="lost"} 1`,
		`cairn_push_seconds_bucket{le="0.128"} 0`,
		`cairn_push_seconds_bucket{le="0.256"} 1`,
		`cairn_push_seconds_bucket{le="+Inf"} 1`,
		`cairn_push_seconds_sum 0.25`,
		`cairn_odd{of="a \"b\"\n\\c",to="d"} +Inf`,
		`# HELP cairn_odd A \\ and\na line.`,
		`# TYPE cairn_commit_seconds histogram`,
		`go_info{version="go`,
		`go_memstats_heap_inuse_bytes `,
	} {
		if !strings.Contains(text, "\n"+want) {
			t.Errorf("no line %q in\n%s", want, text)
		}
	}
}

// TestParsed lets Prometheus' own parser read all there is.
func TestParsed(t *testing.T) {
	m := monitor.New()
	took := m.Histogram("took_seconds", "How long it took.", "kind", "push")
	for _, seconds := range []float64{0, 0.0005, 0.00051, 3, 1e9} {
		took(seconds)
	}
	_, text := get(m, "/metrics")
	parser := expfmt.NewTextParser(model.LegacyValidation)
	families, err := parser.TextToMetricFamilies(strings.NewReader(text))
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	h := families["cairn_took_seconds"].GetMetric()[0].GetHistogram()
	if h.GetSampleCount() != 5 || h.GetSampleSum() != 1e9+3.00101 || h.GetBucket()[0].GetCumulativeCount() != 2 || h.GetBucket()[1].GetCumulativeCount() != 3 {
		t.Errorf("got %v", h)
	}
	for _, name := range []string{"go_goroutines", "go_gc_gomemlimit_bytes", "go_memstats_heap_alloc_bytes", "go_sched_gomaxprocs_threads"} {
		if v := families[name].GetMetric()[0].GetGauge().GetValue(); v <= 0 {
			t.Errorf("%s: got %v", name, v)
		}
	}
}

// TestTwice finds out at once that two metrics have the same name and labels.
func TestTwice(t *testing.T) {
	m := monitor.New()
	m.Gauge("a", "A.", func() float64 { return 1 }, "b", "c")
	m.Gauge("a", "A.", func() float64 { return 1 }, "b", "d")
	defer func() {
		if recover() == nil {
			t.Error("a second gauge of that name and labels was added")
		}
	}()
	m.Gauge("a", "A.", func() float64 { return 1 }, "b", "c")
}

// TestAtOnce reads while others count.
func TestAtOnce(t *testing.T) {
	m := monitor.New()
	took, pushed := m.Histogram("took_seconds", "How long it took."), m.Outcomes("pushes_total", "Pushes.")
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			for j := range 50 {
				took(float64(j))
				pushed(strconv.Itoa(i))
				get(m, "/metrics")
			}
		})
	}
	all.Wait()
	if _, text := get(m, "/metrics"); !strings.Contains(text, "\ncairn_took_seconds_count 400\n") || strings.Count(text, "\ncairn_pushes_total{") != 8 {
		t.Errorf("some are lost:\n%s", text)
	}
}

func TestHealth(t *testing.T) {
	m := monitor.New()
	var wrong error
	m.Check("remote", func() error { return wrong })
	m.Check("disk", func() error { return nil })
	if code, text := get(m, "/healthz"); code != http.StatusOK || text != "ok\n" {
		t.Errorf("well: got %d %q", code, text)
	}
	wrong = errors.New("away since noon;\nreads go on")
	if code, text := get(m, "/healthz"); code != http.StatusServiceUnavailable || text != "remote: away since noon;; reads go on\n" {
		t.Errorf("away: got %d %q", code, text)
	}
	if code, _ := get(m, "/livez"); code != http.StatusOK {
		t.Errorf("alive: got %d", code)
	}
	if code, _ := get(m, "/"); code != http.StatusNotFound {
		t.Errorf("elsewhere: got %d", code)
	}
}
