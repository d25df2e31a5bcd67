package scripts

import (
	"sync"

	"cairn/services/mail/sieve"
	"cairn/store"
)

// maxParsed is how many bytes of source the scripts have that are remembered. What is made of a
// byte takes some tens.
const maxParsed = 512 << 10

// A parsed remembers what was made of scripts: for most messages it is the same as for the last. The zero
// one is empty.
type parsed struct {
	mu      sync.Mutex // guards what follows
	scripts map[store.Hash]*sieve.Script
	bytes   int
}

// script reads a script, whose hash is known.
func (p *parsed) script(h store.Hash, source func() ([]byte, error)) (*sieve.Script, error) {
	p.mu.Lock()
	s := p.scripts[h]
	p.mu.Unlock()
	if s != nil {
		return s, nil
	}
	data, err := source()
	if err != nil {
		return nil, err
	}
	if s, err = sieve.Parse(data); err != nil {
		return nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.bytes += len(data); p.scripts == nil || p.bytes > maxParsed {
		p.scripts, p.bytes = map[store.Hash]*sieve.Script{}, len(data)
	}
	p.scripts[h] = s
	return s, nil
}
