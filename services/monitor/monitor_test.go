package monitor_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

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
		`cairn_push_seconds_bucket{le="0.256"} 1`,
		`go_memstats_heap_inuse_bytes `,
	} {
		if !strings.Contains(text, "\n"+want) {
			t.Errorf("no line %q in\n%s", want, text)
		}
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
