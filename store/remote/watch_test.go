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
		_, err := r.Read(make([]byte, 1))
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

// A slowReader waits before each byte.
type slowReader struct {
	r    io.Reader
	wait time.Duration
}

func (s slowReader) Read(p []byte) (int, error) {
	time.Sleep(s.wait)
	return s.r.Read(p[:1])
}

// TestWatch: a host may take as long as the limit for each answer, and we as long as we
// like over what has come.
func TestWatch(t *testing.T) {
	for _, c := range []struct {
		name       string
		host, here time.Duration
		want       error
	}{
		{"quick", 0, 0, nil},
		{"slow host", 9 * time.Second, 0, nil},
		{"slow here", 0, time.Minute, nil},
		{"host stands still", 11 * time.Second, 0, errStalled},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, w := newWatch(t.Context(), 10*time.Second)
				defer w.stop()
				_, err := w.receiver(slowReceiver(c.here)).Receive(ctx, slowReader{strings.NewReader("pack"), c.host}, nil, store.Limits{})
				if got := w.cause(err); !errors.Is(got, c.want) {
					t.Errorf("got %v, want %v", got, c.want)
				}
			})
		})
	}
}
