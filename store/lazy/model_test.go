package lazy_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"sync"
	"testing"

	"cairn/store"
	"cairn/store/lazy"
	"cairn/store/object"
	"cairn/store/pack"
)

// A model is what may be asked of a Store: objects that are elsewhere, that were kept here
// and are not, and that are nowhere.
type model struct {
	t    *testing.T
	host *host
	s    *lazy.Store
	all  []object.Object // what the host had at first
	ever sync.Map        // the contents of all objects there ever were
}

// TestModel reads, keeps, promises and forgets at random from several goroutines, with a
// bound that holds a part of it and a host that fails now and then.
func TestModel(t *testing.T) {
	seeds, steps := uint64(4), 100
	if os.Getenv("CAIRN_LONG") == "1" {
		seeds, steps = 20, 500
	}
	for seed := range seeds {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			s := runModel(t, seed, steps, lazy.Options{Bytes: 1 << 20})
			if err := s.Verify(); err != nil {
				t.Error(err)
			}
			if s.Used() > 1<<20 {
				t.Errorf("used %d bytes", s.Used())
			}
		})
	}
}

// TestModelInFolder is TestModel over a folder that is trimmed all the time.
func TestModelInFolder(t *testing.T) {
	seeds, steps := uint64(2), 40
	if os.Getenv("CAIRN_LONG") == "1" {
		seeds, steps = 6, 200
	}
	for seed := range seeds {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			dir := openFolder(t, newFolder(t))
			runModel(t, seed, steps, lazy.Options{Bytes: 1 << 20, Folder: dir, FolderBytes: 1 << 20})
		})
	}
}

// runModel returns the Store, closed.
func runModel(t *testing.T, seed uint64, steps int, o lazy.Options) *lazy.Store {
	objs, _ := site(seed, 12, 60, 3000)
	m := &model{t: t, host: newHost(objs...), all: objs}
	m.remember(objs)
	random := rand.New(rand.NewPCG(seed, 2))
	var mu sync.Mutex
	chance := func(n int) bool { mu.Lock(); defer mu.Unlock(); return random.IntN(n) == 0 }
	m.host.fault = func(ctx context.Context, _ []store.Hash) error {
		switch {
		case chance(20):
			return fmt.Errorf("the host is away: %w", store.ErrTemporary)
		case chance(40):
			return context.DeadlineExceeded
		}
		return nil
	}
	m.host.spoil = func(data []byte) []byte {
		if chance(20) {
			data[12+int(seed)%(len(data)-12)] ^= 1
		} else if chance(20) {
			data = data[:len(data)/2]
		}
		return data
	}
	o.Fetch = m.host.fetch
	m.s = lazy.New(o)
	m.host.to = m.s.Fetched()
	var work sync.WaitGroup
	for k := range uint64(4) {
		work.Go(func() {
			random := rand.New(rand.NewPCG(seed, 3+k))
			for range steps {
				m.step(random)
			}
		})
	}
	work.Wait()
	m.s.Close() // waits for what nobody waits for
	return m.s
}

func (m *model) step(random *rand.Rand) {
	ctx := context.Background()
	switch random.IntN(12) {
	case 0:
		m.push(ctx, random)
	case 1: // what the host has is put here
		o := m.all[random.IntN(len(m.all))]
		if err := m.s.Put(ctx, o); err != nil && !m.full(err) {
			m.t.Errorf("put: %v", err)
		}
	case 2:
		var nowhere store.Hash
		noiseInto(random, nowhere[:])
		if _, err := m.s.Object(ctx, nowhere); !errors.Is(err, fs.ErrNotExist) && !faulty(err) {
			m.t.Errorf("object that is nowhere: got %v", err)
		}
	case 3:
		short, cancel := context.WithCancel(ctx)
		go cancel()
		m.read(short, random, m.all[random.IntN(len(m.all))])
	default:
		m.read(ctx, random, m.all[random.IntN(len(m.all))])
	}
}

func noiseInto(random *rand.Rand, b []byte) { copy(b, noise(random, len(b))) }

// full says that there was no room, which may be while others hold much of it.
func (m *model) full(err error) bool {
	var full *lazy.FullError
	return errors.As(err, &full)
}

// faulty says that an error is of the host's making.
func faulty(err error) bool {
	return errors.Is(err, store.ErrTemporary) || errors.Is(err, pack.ErrFormat) || errors.Is(err, io.ErrUnexpectedEOF)
}

// read reads an object in one of the ways there are.
func (m *model) read(ctx context.Context, random *rand.Rand, want object.Object) {
	h := want.Hash()
	var got []byte
	var typ object.Type
	var err error
	switch random.IntN(4) {
	case 0:
		var o object.Object
		o, err = m.s.Object(ctx, h)
		typ, got = o.Type, o.Data
	case 1:
		var size int64
		typ, size, err = m.s.Stat(ctx, h)
		if got = want.Data; err == nil && size != int64(len(got)) {
			m.t.Errorf("stat %v: got %d bytes, want %d", h, size, len(got))
		}
	case 2:
		var r io.ReadCloser
		if r, err = m.s.Open(ctx, h); err == nil {
			got, err = io.ReadAll(r)
			r.Close()
		}
		typ = want.Type
	case 3:
		typ, got, err = m.entry(ctx, want)
	}
	switch {
	case err == nil:
		if typ != want.Type || !bytes.Equal(got, want.Data) {
			m.t.Errorf("object %v: got a %v of %d bytes, want a %v of %d", h, typ, len(got), want.Type, len(want.Data))
		}
	case ctx.Err() != nil && errors.Is(err, context.Canceled), faulty(err), m.full(err):
	default:
		m.t.Errorf("object %v: %v", h, err)
	}
}

// entry reads an object as it lies in a pack; of a delta the base is known.
func (m *model) entry(ctx context.Context, want object.Object) (object.Type, []byte, error) {
	stored, ok, err := m.s.Entry(ctx, want.Hash())
	if err != nil || !ok {
		return want.Type, want.Data, err
	}
	e := pack.Entry(stored)
	data, err := e.Inflate(1 << 20)
	if err != nil || e.Base.IsZero() {
		return e.Type, data, err
	}
	base, ok := m.ever.Load(e.Base)
	if !ok {
		return e.Type, nil, fmt.Errorf("base %v is unknown", e.Base)
	}
	data, err = pack.Apply(base.([]byte), data, 1<<20)
	return e.Type, data, err
}

// remember makes objects known as bases.
func (m *model) remember(objs []object.Object) {
	for _, o := range objs {
		m.ever.Store(o.Hash(), o.Data)
	}
}

// push keeps objects that are not elsewhere, reads them, and promises or forgets them.
func (m *model) push(ctx context.Context, random *rand.Rand) {
	objs, _ := site(random.Uint64(), 1, 1+random.IntN(8), 2000)
	m.remember(objs)
	data, err := packOf(objs...)
	if err != nil {
		m.t.Fatal(err)
	}
	q, err := m.s.Receive(ctx, bytes.NewReader(data), nil, store.Limits{})
	if err != nil {
		if !m.full(err) {
			m.t.Errorf("receive: %v", err)
		}
		return
	}
	defer q.Discard()
	if random.IntN(4) == 0 {
		return
	}
	if err := q.Keep(ctx); err != nil {
		if !m.full(err) {
			m.t.Errorf("keep: %v", err)
		}
		return
	}
	for range 10 {
		o := objs[random.IntN(len(objs))]
		got, err := m.s.Object(ctx, o.Hash())
		if err != nil || !bytes.Equal(got.Data, o.Data) {
			m.t.Errorf("object %v that was kept and not promised: %v", o.Hash(), err)
		}
		m.read(ctx, random, m.all[random.IntN(len(m.all))])
	}
	if random.IntN(2) == 0 {
		q.(lazy.Quarantine).Forget()
		return
	}
	m.host.add(objs...)
	q.(lazy.Quarantine).Promise()
	for _, o := range objs {
		m.read(ctx, random, o)
	}
}
