package remote

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"cairn/store"
	"cairn/store/object"
)

// A slowReceiver takes its time over what it reads.
type slowReceiver time.Duration

func (s slowReceiver) Receive(ctx context.Context, r io.Reader, _ func(context.Context, store.Hash) (object.Object, error), _ store.Limits) (store.Quarantine, error) {
	for {
		_, err := r.Read(make([]byte, enough))
		time.Sleep(time.Duration(s))
		switch {
		case ctx.Err() != nil:
			return nil, ctx.Err()
		case err == io.EOF:
			return nil, nil
		case err != nil:
			return nil, err
		}
	}
}

// A slowReader waits before it gives so many bytes.
type slowReader struct {
	r    io.Reader
	wait time.Duration
	give int
}

func (s slowReader) Read(p []byte) (int, error) {
	time.Sleep(s.wait)
	return s.r.Read(p[:min(s.give, len(p))])
}

// TestWatch: a host may take as long as the limit for each few kilobytes, and we as long as we
// like over what has come.
func TestWatch(t *testing.T) {
	pack := strings.Repeat("pack", enough)
	for _, c := range []struct {
		name       string
		host, here time.Duration
		give       int
		want       error
	}{
		{"quick", 0, 0, enough, nil},
		{"slow host", 9 * time.Second, 0, enough, nil},
		{"slow here", 0, time.Minute, enough, nil},
		{"host stands still", 11 * time.Second, 0, enough, errStalled},
		{"host trickles", time.Second, 0, 1, errStalled},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, w := newWatch(t.Context(), 10*time.Second)
				defer w.stop()
				_, err := w.receiver(slowReceiver(c.here)).Receive(ctx, slowReader{strings.NewReader(pack), c.host, c.give}, nil, store.Limits{})
				if got := w.cause(err); !errors.Is(got, c.want) {
					t.Errorf("got %v, want %v", got, c.want)
				}
			})
		})
	}
}
