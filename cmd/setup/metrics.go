package setup

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"cairn/libos"
	"cairn/services/monitor"
	"cairn/store"
	"cairn/store/remote"
	"cairn/store/trust"
)

// Metrics is the port of metrics and health.
var Metrics = libos.Port{Name: "metrics", Help: "Where /metrics and /healthz are, for nobody else to reach."}

// ServeMetrics opens the port Metrics, if there is to be one, and returns what serves it until its
// context ends, and its URL, "" for none. Where only this machine reaches it, pages from elsewhere do not by its browsers.
func ServeMetrics(ctx context.Context, env libos.Env, page *monitor.Monitor) (serve func(context.Context) error, url string, err error) {
	var none *TLS
	if !env.Listens(Metrics.Name) {
		return none.Run, "", nil
	}
	l, err := env.Listen(ctx, Metrics.Name)
	if err != nil {
		return nil, "", err
	}
	url = "http://" + env.Address(l) + "/metrics"
	env.Log.Info("metrics", "url", url)
	var h http.Handler = page
	if Loopback(l) {
		h = OnlyLocalNames(h)
	}
	return func(ctx context.Context) error { return ServeHTTP(ctx, nil, l, h, env.Log) }, url, nil
}

// Monitor tells page how the remote is doing.
func (r *Remote) Monitor(page *monitor.Monitor) {
	page.Check("remote", r.health)
	page.Gauge("remote_away", "1 while the host of the repository is away.", func() float64 {
		if r.Status().Away.IsZero() {
			return 0
		}
		return 1
	})
	page.Gauge("remote_lag_seconds", "How old what reads see may be.", func() float64 {
		return time.Since(r.Status().Current).Seconds()
	})
	page.Gauge("remote_memory_bytes", "What objects of the repository take in memory, of --remote-memory.", func() float64 {
		return float64(r.Status().Bytes)
	})
	page.Gauge("remote_rewound_refs", "Refs at the host that are not followed.", func() float64 {
		return float64(len(r.Status().Rewound))
	})
}

// health says what is wrong.
func (r *Remote) health() error {
	s := r.Status()
	switch {
	case !s.Away.IsZero():
		return fmt.Errorf("away since %s, reads go on, writes are refused: %w", s.Away.UTC().Format(time.RFC3339), s.Err)
	case len(s.Rewound) > 0:
		return wayOut(s.Rewound[0])
	default:
		return s.Err
	}
}

// wayOut says what to do about a branch that was rewound.
func wayOut(err error) error {
	if moved, ok := errors.AsType[*trust.RewindError](err); ok && !moved.New.IsZero() {
		return fmt.Errorf("%w; if that was meant, start again with --accept %v", err, moved.New)
	}
	return err
}

// Observer tells page of the conversations with a remote.
func Observer(page *monitor.Monitor) func(remote.Event) {
	took := map[remote.Kind]func(seconds float64){}
	for _, k := range []remote.Kind{remote.Pushed, remote.Fetched, remote.Looked, remote.Followed} {
		took[k] = page.Histogram("remote_seconds", "How long a conversation with the host took.", "kind", string(k))
	}
	pushed := page.Outcomes("remote_pushes_total", "Pushes to the host, by outcome.",
		string(remote.Done), string(remote.Conflict), string(remote.Refused), string(remote.Doubt), string(remote.Away), string(remote.Failed))
	return func(e remote.Event) {
		if observe := took[e.Kind]; observe != nil {
			observe(e.Took.Seconds())
		}
		if e.Kind == remote.Pushed {
			pushed(string(e.Outcome()))
		}
	}
}

// Cache tells page of the cache of a repository.
func Cache(page *monitor.Monitor, r *store.Repo) {
	page.Gauge("cache_bytes", "What is kept of the repository for quick answers: trees, commits, small files.",
		func() float64 { return float64(r.Cached()) })
}
