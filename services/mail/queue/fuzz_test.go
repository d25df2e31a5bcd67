package queue

import "testing"

func FuzzEntry(f *testing.F) {
	q := newHouse(f, newWorld(), newBackend()).q
	entries, err := q.entries(letter("bob@example.test", "carol@bücher.test", "süß@[IPv6:2001:db8::1]"))
	if err != nil {
		f.Fatal(err)
	}
	for _, e := range entries {
		data, err := e.encode()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Add([]byte(`{"to":[{}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		e, err := parseEntry(data)
		if err != nil {
			return
		}
		again, err := e.encode()
		if err != nil {
			t.Skip() // a year that JSON does not have
		}
		if _, err := parseEntry(again); err != nil {
			t.Fatalf("%q: what was written cannot be read: %v", again, err)
		}
	})
}

func FuzzPath(f *testing.F) {
	f.Add("ab/cd/efghijklmnop/message")
	f.Add("ab/cd/efghijklmnop/1xx/100")
	f.Fuzz(func(t *testing.T, p string) {
		id, dir, ok := parsePath(p)
		if !ok {
			return
		}
		if again, err := folder(id); err != nil || again != dir || len(id) != idLength {
			t.Fatalf("%q: got %q, %q", p, id, dir)
		}
	})
}
