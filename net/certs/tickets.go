package certs

import (
	"crypto/tls"
	"fmt"
	"sync"
	"time"
)

// ShareTickets lets every server that calls it with the same seed resume the TLS
// sessions of the others, so that clients may move between replicas. The keys
// that session tickets are sealed with follow from the seed and the day (UTC). A
// ticket is taken for a week; a replica's clock may be a day ahead.
//
// Whoever gets hold of the seed can read recorded TLS 1.2 sessions for which a
// ticket was given, and be a server in resumed ones.
func ShareTickets(c *tls.Config, seed [32]byte) {
	t := &tickets{seed: seed}
	c.WrapSession = func(state tls.ConnectionState, session *tls.SessionState) ([]byte, error) {
		conf, err := t.today()
		if err != nil {
			return nil, err
		}
		return conf.EncryptTicket(state, session)
	}
	c.UnwrapSession = func(ticket []byte, state tls.ConnectionState) (*tls.SessionState, error) {
		conf, err := t.today()
		if err != nil {
			return nil, err
		}
		return conf.DecryptTicket(ticket, state)
	}
}

// tickets has a configuration for the sake of its ticket keys alone. The one
// that a server is given may be cloned, and so cannot be given new keys.
type tickets struct {
	seed [32]byte

	mu   sync.Mutex
	day  int64
	conf *tls.Config
}

// kept is for how many days a ticket is taken.
const kept = 7

func (t *tickets) today() (*tls.Config, error) {
	day := time.Now().Unix() / (24 * 60 * 60)
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.conf != nil && t.day == day {
		return t.conf, nil
	}
	// The first key seals, all open.
	days := []int64{day, day + 1}
	for i := range int64(kept - 1) {
		days = append(days, day-1-i)
	}
	keys := make([][32]byte, len(days))
	for i, d := range days {
		k, err := derive(t.seed, fmt.Sprintf("ticket %d", d), 32)
		if err != nil {
			return nil, err
		}
		keys[i] = [32]byte(k)
	}
	t.conf, t.day = &tls.Config{}, day
	t.conf.SetSessionTicketKeys(keys)
	return t.conf, nil
}
