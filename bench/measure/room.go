package measure

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"
)

// A Room is what a set of benchmarks runs in.
type Room struct {
	Dir    string        // an empty folder on the disk that is measured
	Sizes  []int         // how many files a repository has: each benchmark runs at each
	Rounds int           // how often each is repeated
	Work   int           // how much a round does, as a part of the usual thousand
	Only   string        // the one stage to run; empty for all
	Soak   time.Duration // how long to keep under load what is to show that nothing grows; 0: not at all
	Log    io.Writer     // says what is being done

	Results []Result
}

// Share scales the usual amount of work, down to one.
func (r *Room) Share(usual int) int { return max(1, usual*r.Work/1000) }

// Add takes a result.
func (r *Room) Add(x Result) { r.Results = append(r.Results, x) }

// Stage runs one benchmark at one size, in a folder of its own that is removed
// afterwards.
func (r *Room) Stage(ctx context.Context, name string, size int, f func(ctx context.Context, dir string, size int) error) error {
	if r.Only != "" && r.Only != name {
		return nil
	}
	dir := filepath.Join(r.Dir, fmt.Sprintf("%s-%d", name, size))
	if err := os.Mkdir(dir, 0o777); err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	began := time.Now()
	if err := f(ctx, dir, size); err != nil {
		return fmt.Errorf("%s with %d files: %w", name, size, err)
	}
	fmt.Fprintf(r.Log, "%s with %d files took %v\n", name, size, time.Since(began).Round(10*time.Millisecond))
	return nil
}
