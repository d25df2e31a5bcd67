package gitwire

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"cairn/store"
)

// waiting starts to wait and returns what comes of it.
func waiting(ctx context.Context, r *Remote, prefixes []string, known []store.Ref) <-chan error {
	done := make(chan error, 1)
	go func() {
		refs, err := r.Wait(ctx, prefixes, known)
		if err == nil && digestRefs(refs) == digestRefs(known) {
			err = errors.New("nothing has changed")
		}
		done <- err
	}()
	return done
}

func TestWait(t *testing.T) {
	for _, kind := range []string{"http", "ssh"} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			h := kinds[kind](t)
			r := remoteOf(t, h.client, h.url)
			able, err := r.Able(t.Context())
			if err != nil || !able.Wait {
				t.Fatalf("got %+v, %v, want one that can wait", able, err)
			}
			tip := grow(t, r, store.Hash{}, 1)
			prefixes := []string{"refs/heads/", "HEAD"}
			known, err := r.Refs(t.Context(), prefixes...)
			if err != nil {
				t.Fatal(err)
			}
			// Who knows nothing need not wait.
			refs, err := r.Wait(t.Context(), prefixes, nil)
			if err != nil || digestRefs(refs) != digestRefs(known) {
				t.Errorf("knowing nothing: got %v, %v, want %v", refs, err, known)
			}
			changed := waiting(t.Context(), r, prefixes, known)
			select {
			case err := <-changed:
				t.Fatalf("before anything has changed: got %v", err)
			default:
			}
			grow(t, r, tip, 1)
			if err := <-changed; err != nil {
				t.Error(err)
			}
			// Who leaves is let go.
			if known, err = r.Refs(t.Context(), prefixes...); err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithCancel(t.Context())
			given := waiting(ctx, r, prefixes, known)
			cancel()
			if err := <-given; !errors.Is(err, context.Canceled) {
				t.Errorf("given up: got %v, want %v", err, context.Canceled)
			}
		})
	}
}

// Only what the view shows is told, and wakes.
func TestWaitShowsTheView(t *testing.T) {
	l := labOver(t, "mem")
	r := remoteOf(t, httpClient(t), l.http)
	tip := grow(t, r, store.Hash{}, 1)
	known, err := r.Refs(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	changed := waiting(t.Context(), r, nil, known)
	hidden := commitFiles(t, l.backend, "refs/heads/dav/bob", nil, "secret", "secret")
	next := grow(t, r, tip, 1)
	if err := <-changed; err != nil {
		t.Fatal(err)
	}
	refs, err := r.Wait(t.Context(), nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, ref := range refs {
		if ref.Hash == hidden || ref.Hash != next {
			t.Errorf("got %v, want main only", ref)
		}
	}
}

func TestTooManyWait(t *testing.T) {
	l := labOver(t, "mem")
	handler := &HTTPHandler{Open: func(http.ResponseWriter, *http.Request, string, bool) (*View, error) { return l.view(), nil }}
	handler.waits.waiting = maxWaiters
	r := remoteOf(t, httpClient(t), serveHandler(t, handler)+"/www")
	if _, err := r.Wait(t.Context(), nil, nil); !errors.Is(err, store.ErrTemporary) {
		t.Errorf("got %v, want %v", err, store.ErrTemporary)
	}
}

// A server that is told to shut down does not wait for those who wait.
func TestWaitEndsWithServer(t *testing.T) {
	l := labOver(t, "mem")
	entered := make(chan struct{}, 10)
	handler := &HTTPHandler{Open: func(http.ResponseWriter, *http.Request, string, bool) (*View, error) {
		v := l.view()
		list := v.Refs
		v.Refs = func(ctx context.Context) ([]store.Ref, error) {
			select {
			case entered <- struct{}{}:
			default:
			}
			return list(ctx)
		}
		return v, nil
	}}
	server := httptest.NewServer(handler)
	defer server.Close()
	r := remoteOf(t, httpClient(t), server.URL+"/www")
	gone := waiting(t.Context(), r, nil, nil)
	for range 3 {
		<-entered // it looks again and again
	}
	if err := server.Config.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
	if err := <-gone; !errors.Is(err, store.ErrTemporary) {
		t.Errorf("got %v, want %v", err, store.ErrTemporary)
	}
}

// FuzzWaitCommand: whatever is asked, the answer is a list of refs or an error.
func FuzzWaitCommand(f *testing.F) {
	b := newMemory(f)
	commitFiles(f, b, "refs/heads/main", nil, "a", "a")
	view := showAll(b)
	refs, err := view.Refs(f.Context())
	if err != nil {
		f.Fatal(err)
	}
	f.Add("known " + digestRefs(refs) + "\nseconds 1\nref-prefix refs/")
	f.Add("known " + strings.Repeat("0", 64))
	f.Add("seconds 99999999999\nref-prefix ")
	f.Add("ref-prefix refs/heads/\nknown x")
	f.Fuzz(func(t *testing.T, lines string) {
		ctx, cancel := context.WithTimeout(t.Context(), 1)
		defer cancel()
		request := []string{"command=" + waitCommand, "0001"}
		request = append(request, strings.Split(lines, "\n")...)
		request = append(request, "0000")
		for _, line := range request {
			if len(line) > pktPayloadMax {
				return
			}
		}
		v := *view
		v.waits = new(waitRoom)
		var out strings.Builder
		err := serveUpload(ctx, &v, 2, strings.NewReader(string(requestOf(request...))), &out, true, false)
		if err == nil && !strings.Contains(out.String(), waitRefs) && out.Len() > 0 {
			t.Errorf("got %q, want refs", out.String())
		}
		if v.waits.waiting != 0 {
			t.Errorf("waiting: got %d, want 0", v.waits.waiting)
		}
	})
}

// FuzzWaitAnswer: a hostile host's answer is refused or a list of valid refs.
func FuzzWaitAnswer(f *testing.F) {
	hello := script(nil, "version 2", "ls-refs", "fetch=shallow", waitCommand, "0000")
	one := strings.Repeat("1", 40) + " refs/heads/main"
	f.Add(script(nil, waitRefs, one, "0000"))
	f.Add(script(nil, waitBusy, "0000"))
	f.Add(script(nil, waitRefs, one+" peeled:x symref-target:HEAD", "0000"))
	f.Add(script(nil, "ERR no"))
	f.Fuzz(func(t *testing.T, answer []byte) {
		r := remoteOf(t, &Client{HTTP: &rawRemote{hello, answer}}, "http://example.org/r")
		refs, err := r.Wait(t.Context(), nil, nil)
		for _, ref := range refs {
			if checkRemoteRef(ref) != nil || err != nil {
				t.Errorf("got %v, %v", ref, err)
			}
		}
	})
}

// How a digest is made is part of the protocol.
func TestWaitDigest(t *testing.T) {
	h, _ := parseHash(strings.Repeat("ab", 20))
	refs := []store.Ref{{Name: "refs/heads/b", Hash: h}, {Name: "HEAD", Hash: h, Target: "refs/heads/b"}, {Name: "refs/heads/unborn"}}
	if got, want := digestRefs(refs), "a13cb300d9a37615ebe1a3af093f893aa86441b6f8cc0bce4a0a81a0d3196aca"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
