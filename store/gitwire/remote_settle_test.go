package gitwire

import (
	"context"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"cairn/store"
)

// A remote that goes on talking for good after it has reported is not listened to for good.
func TestTalksOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		talked := make(chan time.Duration)
		c := &Client{Stall: time.Minute, Dial: func(context.Context, string, string) (net.Conn, error) {
			here, there := net.Pipe()
			go talkOn(there, talked)
			return here, nil
		}}
		r, err := c.Remote("git://host/r")
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		begin := time.Now()
		gone := Command{Name: "refs/heads/a", Old: store.Hash{1}}
		if err := r.Push(t.Context(), PushRequest{Commands: []Command{gone}}); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(begin); took > time.Second {
			t.Errorf("the push took %v, want no longer than the report", took)
		}
		if got := <-talked; got < longest-time.Minute || got > longest+time.Minute {
			t.Errorf("listened for %v, want about %v", got, longest)
		}
	})
}

// talkOn takes one push and then has something to say each second until nobody listens.
func talkOn(conn net.Conn, talked chan<- time.Duration) {
	defer conn.Close()
	r, w := newPktReader(conn), newPktWriter(conn)
	if _, _, err := r.next(); err != nil { // what is asked for
		return
	}
	w.linef("%s capabilities^{}\x00report-status delete-refs side-band-64k\n", strings.Repeat("0", 40))
	w.flush()
	if w.send() != nil {
		return
	}
	for kind := pktData; kind != pktFlush; {
		var err error
		if kind, _, err = r.next(); err != nil {
			return // a spare
		}
	}
	w.line("\x01" + pktText("unpack ok\n") + pktText("ok refs/heads/a\n") + "0000")
	begin := time.Now()
	for w.send() == nil {
		time.Sleep(time.Second)
		w.line("\x02and another thing\n")
	}
	talked <- time.Since(begin)
}

func pktText(line string) string { return string(appendPktLength(nil, len(line)+4)) + line }
