package monitor

import (
	"runtime"
	"runtime/metrics"
)

// addRuntime adds what the Go runtime says of itself, under the names that
// Prometheus' own library for Go gives it.
func (r *registry) addRuntime() {
	r.add("go_info", "Version of Go.", "gauge", []string{"version", runtime.Version()}, asked(func() float64 { return 1 }))
	for _, v := range []struct {
		name, help, kind, of string
	}{
		{"go_goroutines", "Goroutines.", "gauge", "/sched/goroutines:goroutines"},
		{"go_sched_gomaxprocs_threads", "Threads that run Go code at a time, at most.", "gauge", "/sched/gomaxprocs:threads"},
		{"go_gc_cycles_total", "Collections of garbage.", "counter", "/gc/cycles/total:gc-cycles"},
		{"go_gc_gogc_percent", "How much the heap may grow before garbage is collected.", "gauge", "/gc/gogc:percent"},
		{"go_gc_gomemlimit_bytes", "How much memory the runtime tries to stay below.", "gauge", "/gc/gomemlimit:bytes"},
	} {
		r.add(v.name, v.help, v.kind, nil, asked(func() float64 { return readRuntime(v.of) }))
	}
	stats := &runtime.MemStats{}
	r.refresh = func() { runtime.ReadMemStats(stats) }
	for _, v := range []struct {
		name, help, kind string
		of               func(*runtime.MemStats) float64
	}{
		{"alloc_bytes", "Objects that are in use.", "gauge", func(s *runtime.MemStats) float64 { return float64(s.Alloc) }},
		{"alloc_bytes_total", "Objects made until now.", "counter", func(s *runtime.MemStats) float64 { return float64(s.TotalAlloc) }},
		{"sys_bytes", "Memory had from the system.", "gauge", func(s *runtime.MemStats) float64 { return float64(s.Sys) }},
		{"mallocs_total", "Objects made until now.", "counter", func(s *runtime.MemStats) float64 { return float64(s.Mallocs) }},
		{"frees_total", "Objects freed until now.", "counter", func(s *runtime.MemStats) float64 { return float64(s.Frees) }},
		{"heap_alloc_bytes", "Objects of the heap that are in use.", "gauge", func(s *runtime.MemStats) float64 { return float64(s.HeapAlloc) }},
		{"heap_sys_bytes", "Memory of the heap had from the system.", "gauge", func(s *runtime.MemStats) float64 { return float64(s.HeapSys) }},
		{"heap_idle_bytes", "Memory of the heap in which nothing is.", "gauge", func(s *runtime.MemStats) float64 { return float64(s.HeapIdle) }},
		{"heap_inuse_bytes", "Memory of the heap in which something is.", "gauge", func(s *runtime.MemStats) float64 { return float64(s.HeapInuse) }},
		{"heap_released_bytes", "Memory of the heap given back to the system.", "gauge", func(s *runtime.MemStats) float64 { return float64(s.HeapReleased) }},
		{"heap_objects", "Objects of the heap.", "gauge", func(s *runtime.MemStats) float64 { return float64(s.HeapObjects) }},
		{"stack_inuse_bytes", "Memory of stacks.", "gauge", func(s *runtime.MemStats) float64 { return float64(s.StackInuse) }},
		{"next_gc_bytes", "Size of the heap at which garbage is collected next.", "gauge", func(s *runtime.MemStats) float64 { return float64(s.NextGC) }},
		{"last_gc_time_seconds", "When garbage was collected last, in seconds since 1970.", "gauge", func(s *runtime.MemStats) float64 { return float64(s.LastGC) / 1e9 }},
	} {
		r.add("go_memstats_"+v.name, v.help, v.kind, nil, asked(func() float64 { return v.of(stats) }))
	}
}

// readRuntime reads one number of the runtime's.
func readRuntime(name string) float64 {
	s := []metrics.Sample{{Name: name}}
	metrics.Read(s)
	if s[0].Value.Kind() != metrics.KindUint64 {
		return 0
	}
	return float64(s[0].Value.Uint64())
}
