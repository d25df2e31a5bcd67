package search

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"runtime"
	"runtime/debug"
	"sync/atomic"

	"golang.org/x/sync/errgroup"
)

// Read returns the message that a key names. One that is gone is
// fs.ErrNotExist, and matches nothing.
type Read func(ctx context.Context, key Key) ([]byte, error)

// Find reports for each key whether its message matches. It reads, several at a time, the messages
// that it does not know, which it remembers, and those that may match. It ends at the first error, or when
// ctx does.
func (x *Index) Find(ctx context.Context, q Query, keys []Key, read Read) ([]bool, error) {
	found := make([]bool, len(keys))
	if q.Value == "" && q.In != Field {
		for i := range found {
			found[i] = true
		}
		return found, nil
	}
	todo := x.candidates(q.probes(), keys)
	value := Fold(q.Value)
	var next atomic.Int64
	group, ctx := errgroup.WithContext(ctx)
	for range min(runtime.GOMAXPROCS(0), maxReaders, len(todo)) {
		group.Go(func() (err error) {
			defer func() {
				if p := recover(); p != nil { // of one message, which must not be the end of everything
					err = fmt.Errorf("search: panic: %v\n%s", p, debug.Stack())
				}
			}()
			for {
				n := next.Add(1) - 1
				if n >= int64(len(todo)) {
					return nil
				}
				if err := ctx.Err(); err != nil {
					return err
				}
				i := todo[n]
				raw, err := read(ctx, keys[i])
				if errors.Is(err, fs.ErrNotExist) {
					continue
				}
				if err != nil {
					return fmt.Errorf("search message %x: %w", keys[i], err)
				}
				found[i] = x.look(q, value, keys[i], raw)
			}
		})
	}
	return found, group.Wait()
}

// maxReaders bounds how many messages a search reads at a time.
const maxReaders = 8

// look judges a message that was read, and remembers it.
func (x *Index) look(q Query, value string, key Key, raw []byte) bool {
	d := &document{raw: raw}
	if !x.has(key) {
		x.put(key, sign(d))
	}
	return q.match(d, value)
}

// batch is how many signatures are looked at before others get a turn.
const batch = 1024

// candidates returns the indexes of the keys whose messages have to be read.
func (x *Index) candidates(probes []uint16, keys []Key) []int32 {
	var todo []int32
	for start := 0; start < len(keys); start += batch {
		x.mu.RLock()
		for i := start; i < min(start+batch, len(keys)); i++ {
			if s, ok := x.signature(keys[i]); !ok || s.may(probes) {
				todo = append(todo, int32(i))
			}
		}
		x.mu.RUnlock()
	}
	return todo
}
